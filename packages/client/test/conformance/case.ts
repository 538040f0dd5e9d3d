/** What a case is, and what it is given. */
import type { Answers, Log } from './script.ts'
import type { Watch } from './watch.ts'

/**
 * `ours` or `native`; `chromium` with its `page`, `worker` or `shared` (worker), or `process` with the runtime and, for Node,
 * the version.
 */
export type Tag =
  | 'ours'
  | 'native'
  | 'chromium'
  | 'page'
  | 'worker'
  | 'shared'
  | 'process'
  | 'node'
  | 'node20'
  | 'node22'
  | 'node24'
  | 'bun'
  | 'deno'

export type Reasons = Partial<Record<Tag, string>>

export interface Case {
  /** A fact. Cases made from a table are called `fact: variant`. */
  readonly name: string
  /** The numbers in docs/conformance.md. */
  readonly statements: readonly number[]
  readonly answers?: Answers
  readonly run: (kit: Kit) => Promise<void> | void
  /** Where the case cannot be asked at all, and why. */
  readonly skip?: Reasons | undefined
  /** Where it is known to fail, and why. It must fail there, so that the list stays true. */
  readonly deviates?: Reasons | undefined
  /** Must not run beside other cases. */
  readonly alone?: boolean
}

export type EventSourceClass = typeof globalThis.EventSource

export interface Kit {
  readonly EventSource: EventSourceClass
  readonly tags: readonly Tag[]
  /** Where the document or worker comes from; in a process, just the server. */
  readonly origin: string
  readonly otherOrigin: string
  /** The absolute URL of something of this case: `stream` is what the server answers by the script. */
  readonly url: (path?: string) => string
  readonly otherUrl: (path?: string) => string
  /** Opens a source, which is closed after the case. */
  readonly open: (url?: string | URL, init?: EventSourceInit) => EventSource
  /** Opens a source and notes all that it tells. */
  readonly watch: (url?: string | URL, ...types: readonly string[]) => Watch
  /** Notes all that a source tells. Events of other types must be named. */
  readonly watchOf: (source: EventSource, ...types: readonly string[]) => Watch
  /** Lets the server go on from `wait(name)`. */
  readonly go: (name: string) => Promise<void>
  /** What the server saw, as soon as it saw that many things (or, in vain, after some seconds). */
  readonly log: (atLeast?: {
    requests?: number
    preflights?: number
    closed?: number
    ended?: number
  }) => Promise<Log>
  readonly control: <T>(action: string) => Promise<T>
  /** For facts of the form "nothing happens". */
  readonly quiet: (milliseconds: number) => Promise<void>
  /** The error with this message is expected to reach the global error handler. */
  readonly expectUncaught: (message: string) => void
}
