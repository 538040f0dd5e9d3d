/**
 * The log of `downlink serve`: JSON, a line a record, on stderr. Every record is made here, member by member: see `docs/logging.md`.
 */
import { type DestinationStream, pino } from 'pino'
import { type Observer, type RequestRecord } from '../http/observe.ts'
import { PROBLEMS } from '../http/problem.ts'
import { errorRecord } from './error-record.ts'
import type { LogLevel } from './serve-log.ts'
import { LogBudget } from './log-budget.ts'

const MINUTE_MS = 60_000
/** Refusals that an operator wants to know of: who may not, who is too fast, and what the hub can't do. */
const TOLD = [401, 403, 429]

export interface Sink extends DestinationStream {
  /** When all that waited was taken: how many lines were lost meanwhile, if any. */
  onDrain(listener: (lost: number) => void): void
  /** Resolves when all is taken, or that has taken too long. */
  close(): Promise<void>
}

export class Journal {
  /** For the handler. It wants to know of no more than is written. */
  readonly observe: Observer
  readonly #sink: Sink
  readonly #pino
  readonly #budget = new LogBudget()
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed: Promise<void> | undefined

  constructor(level: LogLevel, sink: Sink) {
    this.#sink = sink
    this.#pino = pino(
      {
        level,
        // Neither the process nor the machine: who collects logs knows them.
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        // Errors are made into plain members before.
        serializers: {},
      },
      sink,
    )
    sink.onDrain((count) => this.#pino.warn({ count }, 'lines lost'))
    const debug = this.#pino.isLevelEnabled('debug')
    this.observe = {
      ...(this.#pino.isLevelEnabled('warn') && { refused: (record) => this.#refused(record) }),
      ...(debug && { answered: (record) => this.#pino.debug(record, 'answered') }),
    }
  }

  /** @param config What is in force: nothing secret. */
  started(facts: { readonly version: string; readonly url: string; readonly config: object }): void {
    this.#pino.info({ node: process.versions.node, ...facts }, 'started')
  }

  stopping(signal: string): void {
    this.#pino.info({ signal }, 'stopping')
  }

  stopped(): void {
    this.#pino.info('stopped')
  }

  /** What an operator should know of: keys that can't be had, a hub that is open to all. Nothing secret. */
  readonly warned = (what: string): void => {
    if (this.#mayTell('warning', undefined)) this.#pino.warn({ what }, 'warning')
  }

  /** What went wrong where no caller could be told, and where one was told `internal`. */
  readonly failed = (error: unknown): void => {
    const record = errorRecord(error)
    if (this.#mayTell(`error ${record.name}`, undefined)) this.#pino.error({ error: record }, 'failed')
  }

  /** Idempotent. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    if (this.#timer) this.#turn()
    await this.#sink.close()
  }

  #refused(record: RequestRecord): void {
    const status = record.code === undefined ? record.status : PROBLEMS[record.code][0]
    const level = status >= 500 ? 'warn' : TOLD.includes(status) ? 'info' : 'debug'
    if (!this.#pino.isLevelEnabled(level)) return
    // Who asks for every request to be written gets every request.
    const all = this.#pino.isLevelEnabled('debug')
    if (all || this.#mayTell(record.code ?? String(status), record.address))
      this.#pino[level](record, 'refused')
  }

  #mayTell(kind: string, address: string | undefined): boolean {
    this.#timer ??= setTimeout(() => this.#turn(), MINUTE_MS).unref()
    return this.#budget.take(kind, address)
  }

  #turn(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const leftOut = this.#budget.turn()
    if (leftOut) this.#pino.warn(leftOut, 'left out')
  }
}
