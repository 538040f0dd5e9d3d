/** A hub for the contract suite, made from what can be written as JSON: in this process, or in Bun or Deno. */
import process from 'node:process'
import { createHub, type Hub } from '../../src/hub.ts'
import type { HandlerOptions } from '../../src/http/handler.ts'
import type { HubLimits } from '../../src/hub-options.ts'
import { MemoryLog } from '../../src/log/memory.ts'
import type { RetentionRule } from '../../src/log/retention.ts'
import { FaultyLog, type Mood } from './faulty-log.ts'
import { type Asked, tokenRules } from './rules.ts'

export interface Setup {
  readonly delivery?: {
    readonly heartbeatMs?: number
    readonly maxAgeMs?: number
    readonly retryMs?: number
    readonly cursorMs?: number
  }
  readonly limits?: Partial<HubLimits>
  readonly retention?: readonly RetentionRule[]
  readonly handler?: Pick<HandlerOptions, 'origins' | 'compress' | 'bodyLimit' | 'bodyTimeoutMs'>
  /** With the rules of `rules.ts` instead of the guard. */
  readonly rules?: boolean
}

export type Command =
  | {
      readonly do: 'drain' | 'close' | 'hold' | 'held' | 'release' | 'count' | 'asked' | 'reports' | 'memory'
    }
  | { readonly do: 'mood'; readonly mood: Mood }

/** What `count` answers. */
export interface Counts {
  readonly readers: number
  readonly waiting: number
}

export class TestHub {
  readonly hub: Hub
  readonly log: FaultyLog
  readonly options: HandlerOptions
  readonly #asked: Asked[] = []
  readonly #reports: string[] = []

  constructor({ delivery, limits, retention, handler, rules }: Setup = {}) {
    this.log = new FaultyLog(new MemoryLog(retention ? { retention } : {}))
    this.hub = createHub({
      log: this.log,
      ...(delivery ? { delivery } : {}),
      ...(limits ? { limits } : {}),
      onError: (error) => this.#reports.push(String(error)),
    })
    this.options = { ...handler, ...(rules ? { authorize: tokenRules(this.#asked) } : {}) }
  }

  async command(command: Command): Promise<unknown> {
    switch (command.do) {
      case 'drain':
        return this.hub.drain()
      case 'close':
        return this.hub.close()
      case 'hold':
        return this.log.hold()
      case 'held':
        return this.log.held()
      case 'release':
        return this.log.release()
      case 'mood':
        this.log.mood = command.mood
        return undefined
      case 'count':
        return { readers: this.hub.delivery.readers, waiting: this.hub.delivery.waiting } satisfies Counts
      case 'asked':
        return this.#asked.splice(0)
      case 'memory':
        return process.memoryUsage().rss
      case 'reports':
        return this.#reports.splice(0)
    }
  }
}
