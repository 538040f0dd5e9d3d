/** Whoever means the hub no good, in a process of their own. They share a core with the normal readers, and give way to them. */
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { answer } from '../load/rpc.ts'
import { PREFACE, requestBlock, resetStreams } from './h2-frames.ts'

export interface Aim {
  readonly port: number
  readonly host: string
  /** The local addresses that they come from, in turn. */
  readonly from: readonly string[]
}

/** What has become of their connections. */
export interface Count {
  /** Connections made. */
  readonly made: number
  /** Of them, those that are open now. */
  readonly open: number
  /** Closed by the hub. */
  readonly closed: number
  readonly failed: number
  /** Streams of HTTP/2 that were opened and reset. */
  readonly resets: number
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>
}

export interface AttackersMethods {
  connect(aim: Aim): void
  /** So many connections that say this and nothing else; `drip`: a character of it each so many milliseconds. */
  hold(count: number, text: string, dripMs?: number): Promise<void>
  /** So many that connect, ask, wait for an answer (every second one does not), are gone, and come back at once, until `leave`. */
  reconnect(count: number, request: string): void
  /** Requests at this rate over so many connections, whatever is answered, until `leave`. */
  flood(connections: number, request: string, perSecond: number): Promise<void>
  /** So many connections of HTTP/2 that open streams and reset them, and come back when they are cut, until `leave`. */
  reset(connections: number, path: string): Promise<void>
  count(): Count
  leave(): void
}

let aim: Aim = { port: 0, host: '', from: [] }
let present = false
let attempts = 0
let made = 0
let closed = 0
let failed = 0
let resets = 0
const statuses: Record<string, number> = {}
const open = new Set<Socket>()
const AT_ONCE = 128

const methods: AttackersMethods = {
  connect(wanted) {
    aim = wanted
    present = true
  },

  async hold(count, text, dripMs) {
    const left = Array(count).keys()
    const sockets: Socket[] = []
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const _ of left) sockets.push(await held())
      }),
    )
    if (text === '') return
    if (dripMs === undefined) for (const socket of sockets) socket.write(text)
    else drip(sockets, text, dripMs)
  },

  reconnect(count, request) {
    for (let index = 0; index < count; index++) again(request, index % 2 === 0)
  },

  async flood(connections, request, perSecond) {
    const sockets: Socket[] = []
    const place = async (index: number): Promise<void> => {
      const socket = await held()
      sockets[index] = socket
      // Cut for what it does, it does it again.
      socket.on('close', () => void (present && place(index)))
    }
    await Promise.all(Array.from({ length: connections }, (_, index) => place(index)))
    const begun = performance.now()
    let sent = 0
    const turn = (): void => {
      if (!present) return
      const due = ((performance.now() - begun) / 1000) * perSecond
      for (; sent < due; sent++) {
        const socket = sockets[sent % sockets.length] as Socket
        // What a hub does not take, or is behind with, does not pile up here.
        if (!socket.destroyed && socket.writableLength < 64 * 1024) socket.write(request)
      }
      setTimeout(turn, 1)
    }
    turn()
  },

  async reset(connections, path) {
    const block = requestBlock(path, `localhost:${aim.port}`)
    await Promise.all(Array.from({ length: connections }, (_, index) => resetting(block, index % 2 === 0)))
  },

  count: () => ({ resets, made, open: open.size, closed, failed, statuses }),

  leave() {
    present = false
    for (const socket of open) socket.resetAndDestroy()
  },
}

function held(): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = attach(resolve)
    socket.on('data', countStatuses)
    socket.on('end', () => socket.end())
  })
}

/** Counted from the moment on at which it is there. */
function attach(connected: (socket: Socket) => void): Socket {
  const { from, ...to } = aim
  const localAddress = from[attempts++ % from.length] as string
  const socket = connect({ ...to, localAddress, noDelay: true })
  let there = false
  socket.on('connect', () => {
    there = true
    made++
    open.add(socket)
    connected(socket)
  })
  socket.on('error', () => {
    if (!there) failed++
  })
  socket.on('close', () => {
    open.delete(socket)
    if (present && there) closed++
  })
  return socket
}

function drip(sockets: readonly Socket[], text: string, dripMs: number): void {
  let at = 0
  const timer = setInterval(() => {
    if (!present || at === text.length) return clearInterval(timer)
    for (const socket of sockets) if (!socket.destroyed) socket.write(text[at] as string)
    at++
  }, dripMs)
}

function again(request: string, waits: boolean): void {
  if (!present) return
  const socket = attach(() => {
    socket.write(request, () => {
      if (!waits) leaves(socket)
    })
  })
  socket.on('data', (bytes) => {
    countStatuses(bytes)
    leaves(socket)
  })
  socket.on('end', () => leaves(socket))
  socket.on('close', () => setImmediate(again, request, waits))
}

/** Streams of one write. */
const STREAMS_AT_ONCE = 50

/** @param later Only when the hub has begun to answer. */
function resetting(block: Buffer, later: boolean): Promise<void> {
  return new Promise((resolve) => {
    let next = 1
    const more = (): void => {
      if (!present || socket.destroyed) return
      resets += STREAMS_AT_ONCE
      const [open, reset] = resetStreams(next, STREAMS_AT_ONCE, block)
      next += STREAMS_AT_ONCE * 2
      if (later) {
        socket.write(open)
        setTimeout(() => socket.write(reset, () => setImmediate(more)), 2)
      } else if (socket.write(Buffer.concat([open, reset]))) setImmediate(more)
      else socket.once('drain', more)
    }
    const socket = attach(() => {
      socket.write(PREFACE)
      resolve()
      more()
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => setImmediate(() => void (present && resetting(block, later))))
    socket.resume()
  })
}

function leaves(socket: Socket): void {
  // Not the hub's doing.
  if (open.has(socket)) closed--
  socket.resetAndDestroy()
}

function countStatuses(bytes: Buffer): void {
  for (const [, status] of bytes.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3})/g))
    statuses[status as string] = (statuses[status as string] ?? 0) + 1
}

answer({ ...methods })
try {
  setPriority(15)
} catch {}
