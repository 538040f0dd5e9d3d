/** Ways to a hub, and what it sees of what comes along them: for bytes in which one server sees one request and another sees two. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, beforeEach, describe } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { AuthorizeRequest } from '@downlink/hub/node'
import { fronts, startFront } from './front.ts'
import { startHub } from './hub.ts'
import { selfSigned } from './self-signed.ts'

/** What others ask for meanwhile. */
const OTHERS = '/channels/next'
/** What may be asked for besides: what the bytes say first, and what they hide. */
const ATTACK = ['/channels/attack', '/channels/smuggled']
/** Far more than there ever are. */
const MOST_ROUNDS = 100

/** A hub, and how to get to it. */
export interface Way {
  readonly open: (protocol: 'http/1.1' | 'h2') => Socket
  readonly proxied: boolean
  /** What the hub was asked in this test. */
  readonly seen: readonly Seen[]
}

interface Seen {
  readonly method: string
  readonly path: string
  readonly from: string | undefined
}

/** `tls`: the hub's own. */
type WayName = 'nothing' | 'tls' | keyof typeof fronts

/** The same tests for each of these before a hub; the way is there when they run. */
export function describeWays(names: readonly WayName[], tests: (way: () => Way) => void): void {
  for (const name of names) {
    const standing = name in fronts ? `docs/deploy/${fronts[name as keyof typeof fronts].file}` : name
    describe(`with ${standing} before it, the hub sees only what was meant:`, () => {
      const seen: Seen[] = []
      const endings: (() => unknown)[] = []
      let way: Way | undefined
      before(async () => {
        way = await openWay(name, seen, { after: (end: () => unknown) => endings.push(end) })
      })
      beforeEach(() => void (seen.length = 0))
      after(async () => {
        for (const end of endings.toReversed()) await end()
      })
      tests(() => {
        assert.ok(way)
        return way
      })
    })
  }
}

async function openWay(
  name: WayName,
  seen: Seen[],
  lasting: { after: (end: () => unknown) => void },
): Promise<Way> {
  const authorize = ({ method, path, header }: AuthorizeRequest): boolean =>
    seen.push({ method, path, from: header('x-forwarded-for') }) > 0
  const tls = name === 'tls' ? { tls: selfSigned() } : {}
  const hub = await startHub(lasting, {}, { authorize, ...tls })
  if (name === 'nothing') {
    return { open: () => connect({ port: hub.port, host: '127.0.0.1' }), proxied: false, seen }
  }
  const { port } = name === 'tls' ? hub : await startFront(lasting, name, hub.url)
  const options = { port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false }
  return {
    open: (protocol) => connectTls({ ...options, ALPNProtocols: [protocol] }),
    proxied: name !== 'tls',
    seen,
  }
}

/** What is sent and answered on one connection. */
export class Talk {
  readonly socket: Socket
  /** A character a byte. */
  text = ''
  #wake: (() => void) | undefined
  #over = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (piece) => {
      this.text += piece.toString('latin1')
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#over = true
      this.#wake?.()
    })
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  async until(enough: () => boolean): Promise<void> {
    while (!enough()) {
      assert.ok(!this.#over, `The connection ended after ${JSON.stringify(this.text)}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Of all answers but `100 Continue`. */
  get statuses(): readonly number[] {
    const all = [...this.text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => Number(status))
    return all.filter((status) => status >= 200)
  }
}

/**
 * That there are no more requests than were answered (but one may have none), each with the proxy's own word of who asked, and
 * that those of other people came through untouched. The connection is closed then.
 */
export async function assertMeant(
  way: Way,
  attack: { readonly socket: Socket; readonly statuses: readonly number[] },
): Promise<void> {
  const meant = (): readonly Seen[] => way.seen.filter(({ path }) => path !== OTHERS)
  const sum = (): string => `${meant().length} of ${attack.statuses.length}`
  // Somebody else, on whose requests the rest of those bytes might be put.
  let others = await asOthers(way)
  for (let rounds = 0, last = ''; last !== sum() && rounds < MOST_ROUNDS; rounds++) {
    last = sum()
    others += await asOthers(way)
  }
  attack.socket.destroy()
  others += await asOthers(way)

  const requests = meant().map(({ method, path }) => `${method} ${path}`)
  const told = `requests: ${requests.join(', ') || 'none'}; answers: ${attack.statuses.join(', ') || 'none'}`
  assert.ok(requests.length <= Math.max(1, attack.statuses.length), told)
  assert.equal(way.seen.length - requests.length, others, told)
  for (const { method, path, from } of way.seen) {
    assert.ok([OTHERS, ...ATTACK].includes(path), path)
    assert.ok(['GET', 'HEAD', 'POST'].includes(method), method)
    assert.equal(from, way.proxied ? '127.0.0.1' : undefined)
  }
}

/** Two polls on a connection of their own, so that the second may go where the first went. @returns how many they were */
async function asOthers(way: Way): Promise<number> {
  const talk = new Talk(way.open('http/1.1'))
  for (const count of [1, 2]) {
    talk.send(Buffer.from(`GET ${OTHERS} HTTP/1.1\r\nHost: localhost\r\n\r\n`))
    await talk.until(() => talk.text.split('"retry":').length > count)
  }
  assert.deepEqual(talk.statuses, [200, 200])
  talk.socket.destroy()
  return 2
}
