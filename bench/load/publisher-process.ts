/** The publishers of a benchmark, in a process of their own. */
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { type Dialect, dialects } from '../peers/dialect.ts'
import { waitedOf } from '../machine/proc.ts'
import { micros } from './clock.ts'
import { Answers, bodyOf } from './answers.ts'
import { type Filling, payload } from './payload.ts'
import { answer } from './rpc.ts'

export interface PublishPlan {
  /** Events a second, over all channels. */
  readonly rate: number
  readonly seconds: number
  /** How many channels take turns, and the number of the first. Default of that 0. */
  readonly channels: number
  readonly first?: number
  /** So many events of one channel come due together. Default 1. */
  readonly burst?: number
  /** Events of one publish at most: what has come due while the last one was answered goes into the next. */
  readonly batch: number
  readonly size: number
  readonly filling?: Filling
}

export interface PublishResult {
  /** Events published, by channel, since the process started. */
  readonly published: Readonly<Record<number, number>>
  /** Events of this run, and how many were due. */
  readonly taken: number
  readonly offered: number
  readonly requests: number
  /** When it began, in `micros()`. */
  readonly begun: number
  readonly cpuMs: number
  /** Ready to run, and without a core. */
  readonly waitedMs: number
}

interface Due {
  readonly channel: number
  readonly at: number
}

/** One connection, one publish at a time. So a channel that always has the same one keeps its order. */
class Publisher {
  readonly queue: Due[] = []
  busy = false
  readonly #socket: Socket
  readonly #dialect: Dialect
  readonly #answers = new Answers()
  #unanswered = 0

  constructor(port: number, host: string, dialect: Dialect) {
    this.#dialect = dialect
    this.#socket = connect({ port, host, noDelay: true })
    this.#socket.on('data', (bytes) => this.#onAnswer(bytes))
    this.#socket.on('error', (error) => fail(error.message))
    this.#socket.on('close', () => fail('a connection was closed'))
  }

  connected(): Promise<void> {
    return new Promise((resolve) => this.#socket.once('connect', () => resolve()))
  }

  publishNext(): void {
    if (this.busy || this.queue.length === 0 || plan === undefined) return
    const { batch, size, filling } = plan
    const channel = (this.queue[0] as Due).channel
    let count = 1
    while (count < batch && this.queue[count]?.channel === channel) count++
    const datas = this.queue.splice(0, count).map(({ at }) => {
      const number = published[channel] ?? 0
      published[channel] = number + 1
      return payload(channel, number, at, size, filling)
    })
    const { text, requests } = this.#dialect.publish(nameOf(channel), datas)
    taken += count
    sent += requests
    this.#unanswered = requests
    this.busy = true
    this.#socket.write(text)
  }

  #onAnswer(bytes: Buffer): void {
    for (const answer of this.#answers.feed(bytes)) {
      const { status } = answer
      if (status < 200 || status > 299) {
        return fail(`a publish was answered ${status}: ${bodyOf(answer).slice(0, 200)}`)
      }
      this.#unanswered--
    }
    if (this.#unanswered > 0) return
    this.busy = false
    this.publishNext()
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy()
  }
}

let plan: PublishPlan | undefined
let publishers: Publisher[] = []
const published: Record<number, number> = {}
let taken = 0
let sent = 0
let failure: string | undefined

function fail(reason: string): void {
  failure ??= reason
}

function nameOf(channel: number): string {
  return `bench.${channel}`
}

export interface PublisherMethods {
  connect(port: number, host: string, dialect: string, connections: number): Promise<void>
  run(plan: PublishPlan): Promise<PublishResult>
}

const methods: PublisherMethods = {
  async connect(port, host, dialect, connections) {
    for (const publisher of publishers) publisher.close()
    const speaks = dialects[dialect] as Dialect
    publishers = Array.from({ length: connections }, () => new Publisher(port, host, speaks))
    await Promise.all(publishers.map((publisher) => publisher.connected()))
  },

  async run(wanted) {
    plan = wanted
    const { rate, seconds, channels, first = 0, burst = 1 } = wanted
    const offered = Math.round(rate * seconds)
    const cpu = process.cpuUsage()
    const waited = waitedOf(process.pid)
    taken = sent = 0
    const begun = micros()
    for (let next = 0; next < offered;) {
      const now = micros()
      for (; next < offered; next++) {
        // An event is due at its own moment, or with its burst.
        const at = begun + (Math.floor(next / burst) * burst * 1e6) / rate
        if (at > now) break
        const channel = first + (Math.floor(next / burst) % channels)
        publishers[channel % publishers.length]?.queue.push({ channel, at })
      }
      for (const publisher of publishers) publisher.publishNext()
      if (failure !== undefined) throw new Error(failure)
      await turn()
    }
    // What a server could not take in its time is not published any more.
    while (micros() < begun + seconds * 1e6) await turn()
    for (const publisher of publishers) publisher.queue.length = 0
    while (publishers.some(({ busy }) => busy)) {
      if (failure !== undefined) throw new Error(failure)
      await turn()
    }
    const { user, system } = process.cpuUsage(cpu)
    return {
      published,
      taken,
      offered,
      requests: sent,
      begun,
      cpuMs: (user + system) / 1000,
      waitedMs: waitedOf(process.pid) - waited,
    }
  },
}

answer({ ...methods })
try {
  // It does little, and at its moment; the readers that share its core do much. Only root may ask for this.
  setPriority(-10)
} catch {}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}
