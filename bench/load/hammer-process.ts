/** Requests as fast as a server answers them, each connection one at a time; in a process of its own. */
import { connect, type Socket } from 'node:net'
import { waitedOf } from '../machine/proc.ts'
import { type Answer, Answers, bodyOf } from './answers.ts'
import { micros } from './clock.ts'
import { Histogram, type Summary } from './histogram.ts'
import { answer } from './rpc.ts'

export interface HammerPlan {
  readonly port: number
  readonly host: string
  readonly connections: number
  readonly seconds: number
  /** Whole requests, head and body; each connection sends them in turn. */
  readonly request: string
  readonly expect: Expectation
}

/** What each answer must be. */
export interface Expectation {
  readonly status: number
  /** The body begins so, and is so long. */
  readonly body?: { readonly begins: string; readonly length: number }
  /** The body is `{"ids": […]}` with so many ids, and none was given before. */
  readonly ids?: number
}

export interface HammerResult extends Summary {
  readonly requests: number
  readonly seconds: number
  readonly cpuMs: number
  /** Ready to run, and without a core. */
  readonly waitedMs: number
  /** The highest position acknowledged, when there are ids. */
  readonly highest: number
}

export interface HammerMethods {
  run(plan: HammerPlan): Promise<HammerResult>
}

const methods: HammerMethods = { run }
answer({ ...methods })

async function run(plan: HammerPlan): Promise<HammerResult> {
  const histogram = new Histogram()
  const ids = new Ids()
  let requests = 0
  const cpu = process.cpuUsage()
  const waited = waitedOf(process.pid)
  const begun = micros()
  const end = begun + plan.seconds * 1e6
  const begins = Buffer.from(plan.expect.body?.begins ?? '')
  const judge = (got: Answer): void => {
    check(got, plan.expect, begins)
    if (plan.expect.ids !== undefined) ids.take(bodyOf(got), plan.expect.ids)
    requests++
  }
  await Promise.all(Array.from({ length: plan.connections }, () => hammer(plan, end, histogram, judge)))
  const { user, system } = process.cpuUsage(cpu)
  return {
    ...histogram.summary(),
    requests,
    seconds: (micros() - begun) / 1e6,
    cpuMs: (user + system) / 1000,
    waitedMs: waitedOf(process.pid) - waited,
    highest: ids.highest,
  }
}

function hammer(
  { port, host, request }: HammerPlan,
  end: number,
  histogram: Histogram,
  judge: (answer: Answer) => void,
): Promise<void> {
  const bytes = Buffer.from(request)
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host, noDelay: true })
    const answers = new Answers()
    let sent = 0
    const send = (): void => {
      sent = micros()
      socket.write(bytes)
    }
    socket.on('connect', send)
    socket.on('data', (chunk) => {
      try {
        for (const got of answers.feed(chunk)) {
          judge(got)
          const now = micros()
          histogram.add(now - sent)
          if (now < end) send()
          else socket.removeAllListeners('close').end(() => resolve())
        }
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('a connection was closed')))
  })
}

function check(answer: Answer, expect: Expectation, begins: Buffer): void {
  const { status, bytes, head } = answer
  if (status !== expect.status) throw new Error(`answered ${status}: ${bodyOf(answer).slice(0, 200)}`)
  if (expect.body === undefined) return
  if (
    bytes.length !== expect.body.length ||
    bytes.compare(begins, 0, begins.length, 0, begins.length) !== 0
  ) {
    throw new Error(`another body: ${bytes.length} bytes of ${expect.body.length}, ${head.slice(0, 200)}`)
  }
}

/** Every id is new. */
class Ids {
  highest = 0
  #seen = new Uint8Array(1 << 20)

  take(body: string, count: number): void {
    const { ids } = JSON.parse(body) as { ids: string[] }
    if (ids.length !== count) throw new Error(`${ids.length} ids for ${count} events`)
    for (const id of ids) {
      const position = Number(id.slice(id.indexOf('-') + 1))
      if (position >= this.#seen.length) this.#grow(position)
      if (this.#seen[position] === 1) throw new Error(`the id ${id} was given twice`)
      this.#seen[position] = 1
      if (position > this.highest) this.highest = position
    }
  }

  #grow(position: number): void {
    const larger = new Uint8Array(position * 2)
    larger.set(this.#seen)
    this.#seen = larger
  }
}
