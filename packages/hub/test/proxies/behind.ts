/** What stands behind a proxy in tests, and what is asked through it. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { HubOptions } from '../../src/hub-options.ts'
import { createHub, type Hub } from '../../src/hub.ts'
import { type HubServerOptions, serveHub } from '../../src/http/server.ts'
import { type HostileProxyOptions, hostileProxy, type HostileProxy } from '../../src/testing/proxy.ts'
import { bytes, RawConnection } from '../wire-contract/raw.ts'

export interface ServedHub {
  readonly hub: Hub
  /** E.g. `http://127.0.0.1:40123`. */
  readonly url: string
  readonly stop: () => Promise<void>
  /** How many connections it has accepted so far. */
  readonly accepted: () => number
}

export async function servedHub(
  t: TestContext,
  options: HubOptions = {},
  serverOptions: HubServerOptions = {},
): Promise<ServedHub> {
  const hub = createHub(options)
  const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 100, ...serverOptions })
  let accepted = 0
  server.server.on('connection', () => accepted++)
  const stop = async (): Promise<void> => {
    await server.stop()
    await hub.close()
  }
  t.after(stop)
  return { hub, url: server.url, stop, accepted: () => accepted }
}

/** A hub, and a hostile proxy in front of it. */
export async function proxiedHub(
  t: TestContext,
  options: HostileProxyOptions = {},
): Promise<Omit<ServedHub, 'url'> & { readonly proxy: HostileProxy; readonly direct: string }> {
  const { url, ...served } = await servedHub(t)
  const proxy = await hostileProxy(url, options)
  t.after(() => proxy.close())
  return { ...served, proxy, direct: url }
}

/** A server that does with each connection what it is told; what is left open is ended with the test. */
export async function rawTarget(t: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A connection, and how it ended. */
export class Reading extends RawConnection {
  readonly how: Promise<'reset' | 'end'>
  /** Each piece as it came, a character a byte. */
  readonly pieces: string[] = []

  constructor(t: TestContext, url: string) {
    super(url)
    t.after(() => this.socket.destroy())
    this.socket.on('data', (piece) => this.pieces.push(piece.toString('latin1')))
    this.how = new Promise((resolve) => {
      this.socket.on('error', () => resolve('reset')).on('end', () => resolve('end'))
    })
  }

  /** All that has come, taken or not. */
  get all(): string {
    return this.pieces.join('')
  }
}

/** Asks for a stream, as a browser does: close-delimited. */
export function stream(t: TestContext, url: string, path = '/channels/a', headers = {}): Reading {
  const reading = new Reading(t, url)
  reading.send(bytes(`GET ${path}`, { Accept: 'text/event-stream', ...headers }))
  return reading
}

export async function publish(url: string, data: string, channel = 'a'): Promise<string> {
  const answer = await fetch(`${url}/channels/${channel}`, { method: 'POST', body: data })
  return ((await answer.json()) as { ids: [string] }).ids[0]
}

export interface Told {
  readonly events: readonly { readonly id: string; readonly data: string }[]
  readonly cursor: string
}

export async function poll(url: string, query = 'after=start'): Promise<Told> {
  const answer = await fetch(`${url}/channels/a?transport=poll&${query}`)
  return (await answer.json()) as Told
}
