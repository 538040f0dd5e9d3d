/** What the contract suite needs of a way to put the hub on HTTP. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import type { Command, Counts, Setup } from './test-hub.ts'

export interface Running {
  /** E.g. `http://localhost:40123`. */
  readonly url: string
  command(command: Command): Promise<unknown>
  /** Idempotent. */
  stop(): Promise<void>
}

export interface Face {
  readonly name: string
  start(setup?: Setup): Promise<Running>
  /** What this face can't have, each with the reason. */
  readonly cannot?: Partial<Record<Ability, string>>
}

/** What not every runtime lets a handler do or see. */
export type Ability =
  /** Streams that end with their connection, without chunked coding. */
  | 'close-delimited'
  /** Sees whom a request target in absolute form is for. */
  | 'absolute-target'
  /** Methods that the web's `Request` does not know. */
  | 'odd-methods'
  /** Can be read by Node's fetch as it is. */
  | 'fetch'
  /** Connections that become WebSockets. */
  | 'websocket'

let names = 0

/** A channel nobody has used. */
export function fresh(stem = 'channel'): string {
  return `${stem}-${++names}`
}

/** A hub for all tests of the surrounding `describe`. */
export function shared(face: Face, setup: Setup = {}): Running {
  let running: Running | undefined
  const started = (): Running => {
    if (running === undefined) throw new Error('The hub of these tests runs only while they do')
    return running
  }
  before(async () => {
    running = await face.start(setup)
  })
  after(() => running?.stop())
  return {
    get url() {
      return started().url
    },
    command: (command) => started().command(command),
    stop: () => started().stop(),
  }
}

export async function counts(hub: Running): Promise<Counts> {
  return (await hub.command({ do: 'count' })) as Counts
}

/** Resolves when the counts are these: what the kernel and the runtime take their time to tell. */
export async function untilCounts(hub: Running, wanted: Counts): Promise<void> {
  const patience = Date.now() + 10_000
  for (;;) {
    const now = await counts(hub)
    if (now.readers === wanted.readers && now.waiting === wanted.waiting) return
    if (Date.now() > patience) assert.deepEqual(now, wanted)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
