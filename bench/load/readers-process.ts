/** The readers of a benchmark, in a process of their own. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { waitedOf } from '../machine/proc.ts'
import { micros } from './clock.ts'
import type { Carrier } from './dial.ts'
import { Follower } from './follower.ts'
import { Histogram, type Summary } from './histogram.ts'
import type { Filling } from './payload.ts'
import { longPoll } from './long-poll.ts'
import { type Counts, Reader } from './reader.ts'
import { answer } from './rpc.ts'
import { Tape } from './tape.ts'

/** Readers that see the same bytes. */
export interface Group {
  /** A name for what is counted together: `fast`, `slow`, … */
  readonly tag: string
  /** Groups with the same tape are compared with one another, too. */
  readonly tape: string
  readonly channels: readonly number[]
  readonly count: number
  readonly request: string
  readonly filling?: Filling
  /** Reads so much at a time, and then waits for `intervalMs`. */
  readonly slow?: { readonly bytes: number; readonly intervalMs: number }
  /** What their bytes come by. Default `tcp`; those with TLS need `secure` to be told first. */
  readonly carrier?: Carrier
  /** False: bytes are counted and not looked at. For compressed streams, of which some are decoded and compared. Default true. */
  readonly compared?: boolean
  /** The event that comes first, by number. Default: the one after all that the tape has, so nothing may be on its way. */
  readonly from?: number
}

export interface ReadResult extends Summary {
  readonly bytes: number
  /** The most bytes that one reader has had more than another, since they opened. */
  readonly spread: number
  readonly reads: number
  readonly cpuMs: number
  /** Ready to run, and without a core. */
  readonly waitedMs: number
  readonly lagMs: number
  /** When the last delivery came, in `micros()`. */
  readonly last: number
  readonly errors: readonly string[]
}

interface Member {
  readonly group: Group
  readonly follower: Follower
  reader: Reader
}

const shared = Buffer.allocUnsafe(256 * 1024)
const lag = monitorEventLoopDelay({ resolution: 5 })
lag.enable()
const tapes = new Map<string, Tape>()
const members: Member[] = []
const counts: Counts = { bytes: 0, reads: 0, errors: [], last: 0 }
const polls: Promise<void>[] = []
const histograms = new Map<string, Histogram>()
let cpuAtReset = process.cpuUsage()
let waitedAtReset = 0
let server = { port: 0, host: '127.0.0.1' }
let securePort = 0

export interface ReadersMethods {
  connect(port: number, host: string): void
  secure(port: number): void
  open(groups: readonly Group[], concurrency: number): Promise<void>
  reset(): void
  settle(
    published: Readonly<Record<number, number>>,
    quietMs: number,
    tags?: readonly string[],
  ): Promise<void>
  result(tag?: string): ReadResult
  behind(tag: string, published: number): number
  fast(tag: string): void
  cut(tag: string): void
  reopen(tag: string, request: string, concurrency: number): Promise<void>
  caughtUp(tag: string, quietMs: number): Promise<void>
  replay(group: Group, events: number, quietMs: number): Promise<{ bytes: number; last: number }>
  wait(request: string, count: number, expect: string): Promise<void>
  answered(): Promise<void>
  closeAll(): void
}

const methods: ReadersMethods = {
  connect(port, host) {
    server = { port, host }
  },

  secure(port) {
    securePort = port
  },

  async open(groups, concurrency) {
    const added = groups.flatMap((group) => Array.from({ length: group.count }, () => memberOf(group)))
    members.push(...added)
    await inTurns(added, concurrency, ({ reader }) => reader.open())
  },

  /** What comes from now on is counted. */
  reset() {
    counts.bytes = counts.reads = counts.last = 0
    histograms.clear()
    cpuAtReset = process.cpuUsage()
    waitedAtReset = waitedOf(process.pid)
    lag.reset()
  },

  /** Waits until every reader has had every event; fails when some are missing, and nothing more comes. */
  async settle(published, quietMs, tags) {
    const waiting = members.filter(
      ({ group }) => group.compared !== false && (tags === undefined || tags.includes(group.tag)),
    )
    const wanted = new Map<Tape, number>()
    for (const { follower } of waiting) {
      const total = [...follower.tape.channels].reduce((sum, channel) => sum + (published[channel] ?? 0), 0)
      wanted.set(follower.tape, total)
    }
    await untilNone(quietMs, () =>
      waiting.reduce((sum, { follower }) => sum + ((wanted.get(follower.tape) as number) - follower.seen), 0),
    )
  },

  result(tag = '') {
    failOnErrors()
    const { user, system } = process.cpuUsage(cpuAtReset)
    const each = members.map(({ reader }) => reader.bytes)
    return {
      ...histogramOf(tag).summary(),
      bytes: counts.bytes,
      spread:
        each.reduce((most, size) => Math.max(most, size), 0) -
        each.reduce((least, size) => Math.min(least, size), Infinity),
      reads: counts.reads,
      last: counts.last,
      errors: counts.errors,
      cpuMs: (user + system) / 1000,
      waitedMs: waitedOf(process.pid) - waitedAtReset,
      lagMs: lag.max / 1e6,
    }
  },

  /** How many events these readers have not had yet, on average. */
  behind(tag, published) {
    const all = members.filter(({ group }) => group.tag === tag)
    return all.reduce((sum, { follower }) => sum + published - follower.seen, 0) / all.length
  },

  fast(tag) {
    for (const { group, reader } of members) {
      if (group.tag !== tag) continue
      reader.slow = false
      reader.more()
    }
  },

  cut(tag) {
    for (const { group, reader } of members) if (group.tag === tag) reader.close()
  },

  /** Each comes back with its cursor, for which `{cursor}` stands in the request. */
  async reopen(tag, request, concurrency) {
    const all = members.filter(({ group }) => group.tag === tag)
    await inTurns(all, concurrency, (member) => {
      const { follower, group } = member
      follower.goTo(follower.seen)
      const cursor = follower.tape.ids[follower.seen - 1] as string
      member.reader = readerOf(group, follower, request.replace('{cursor}', cursor))
      return member.reader.open()
    })
  },

  /** Waits until these have had all that any reader has had when this was asked. */
  async caughtUp(tag, quietMs) {
    const all = members
      .filter(({ group }) => group.tag === tag)
      .map(({ follower }) => ({ follower, wanted: follower.tape.ids.length }))
    await untilNone(quietMs, () =>
      all.reduce((sum, { follower, wanted }) => sum + Math.max(0, wanted - follower.seen), 0),
    )
  },

  /** One reader comes, has so many events, and goes. */
  async replay(group, events, quietMs) {
    const { reader, follower } = memberOf(group)
    await reader.open()
    await untilNone(quietMs, () => events - follower.seen)
    reader.close()
    return { bytes: reader.bytes, last: counts.last }
  },

  /** Long polls: resolves when all of them have been sent. */
  async wait(request, count, expect) {
    const sent = Array.from({ length: count }, () => request)
    await inTurns(sent, 128, async (text) => {
      const { done, asked } = longPoll(server, text, expect)
      polls.push(done)
      done.catch(() => {})
      await asked
    })
  },

  /** Resolves when all long polls have been answered, and rightly. */
  async answered() {
    await Promise.all(polls.splice(0))
  },

  closeAll() {
    for (const { reader } of members) reader.close()
    members.length = 0
    tapes.clear()
    polls.length = 0
  },
}

answer({ ...methods })

function memberOf(group: Group): Member {
  let tape = tapes.get(group.tape)
  if (tape === undefined) tapes.set(group.tape, (tape = new Tape(group.channels, group.filling)))
  const follower = new Follower(tape)
  follower.goTo(group.from ?? tape.ids.length)
  return { group, follower, reader: readerOf(group, follower, group.request) }
}

function readerOf(group: Group, follower: Follower, request: string): Reader {
  const { slow, tag, carrier = 'tcp' } = group
  const reader = new Reader({
    ...server,
    ...(carrier === 'tls' || carrier === 'h2' ? { port: securePort } : {}),
    carrier,
    request,
    follower,
    counts,
    buffer: slow ? Buffer.allocUnsafe(slow.bytes) : shared,
    slow: slow !== undefined,
    compared: group.compared ?? true,
    delivered(follower, now) {
      if (follower.note(now, histogramOf(tag)) > 0) counts.last = now
    },
  })
  if (slow) pace(reader, slow.intervalMs)
  return reader
}

let paced = 0

/** Not all at once: they take turns within the interval. */
function pace(reader: Reader, intervalMs: number): void {
  const turn = (): void => {
    if (!reader.slow) return
    reader.more()
    setTimeout(turn, intervalMs)
  }
  setTimeout(turn, (intervalMs * (paced++ % 100)) / 100)
}

function histogramOf(tag: string): Histogram {
  let histogram = histograms.get(tag)
  if (histogram === undefined) histograms.set(tag, (histogram = new Histogram()))
  return histogram
}

/** @throws {Error} when nothing has come for so long, and something is missing */
async function untilNone(quietMs: number, missing: () => number): Promise<void> {
  let before = missing()
  for (let quiet = micros(); ;) {
    failOnErrors()
    const now = missing()
    if (now === 0) return
    if (now < 0) throw new Error(`${-now} deliveries too many`)
    if (now !== before) quiet = micros()
    before = now
    if (micros() - quiet > quietMs * 1000) throw new Error(`${now} deliveries are missing`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function failOnErrors(): void {
  if (counts.errors.length > 0) throw new Error(`readers saw: ${counts.errors.join('; ')}`)
}

/** So many at a time: a server's queue of connections is short. */
async function inTurns<T>(all: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = all.values()
  await Promise.all(
    Array.from({ length: most }, async () => {
      for (const item of left) await work(item)
    }),
  )
}
