/**
 * What is told of requests to whoever keeps a log. A record is made of these members alone, so that nothing else can get into a log:
 * no query, no header, no body, and so no token, ticket, cookie or event.
 */
import type { HttpRequest } from './message.ts'
import type { ProblemCode } from './problem.ts'
import type { RequestIds } from './request-id.ts'

export interface RequestRecord {
  /** As in the answer, when it refused: `X-Request-Id`, and `instance` of the problem. */
  readonly id: string
  readonly method: string
  /** As sent, percent-encoded, in visible ASCII; without the query, below where the hub is mounted. 200 characters at most. */
  readonly path: string
  /** As sent: 200 for a stream that was refused for the time being (`docs/protocol.md`, 14.2.1). */
  readonly status: number
  /** Why it was refused. */
  readonly code?: ProblemCode
  /** The client's, behind trusted proxies. Absent where the runtime does not tell. */
  readonly address?: string
  /** Who asked, where `authorize` said who. */
  readonly subject?: string
  /** Milliseconds from the head of the request to the answer, or to its head for a stream. */
  readonly ms: number
}

export interface Observer {
  /** A request that was refused, or answered with a status of 400 or above. */
  readonly refused?: (record: RequestRecord) => void
  /** Any other. To have it at all costs each request a microsecond. */
  readonly answered?: (record: RequestRecord) => void
}

const PATH_LENGTH = 200
const METHOD_LENGTH = 20
const SUBJECT_LENGTH = 200

const subjects = new WeakMap<HttpRequest, string>()

/** Tells the observer, if there is one. Where there is none it costs nothing. */
export class Witness {
  readonly #observer: Observer | undefined
  readonly #ids: RequestIds
  readonly #report: (error: unknown) => void

  constructor(observer: Observer | undefined, ids: RequestIds, report: (error: unknown) => void) {
    this.#observer = observer
    this.#ids = ids
    this.#report = report
  }

  begin(): number {
    return this.#observer ? performance.now() : 0
  }

  /** Who asked, for the record. */
  noteSubject(request: HttpRequest, subject: string): void {
    if (this.#observer && subject !== '') subjects.set(request, subject)
  }

  traceOf(request: HttpRequest, begun: number): Trace {
    return new Trace(request, request.id ?? this.#ids.next(), begun)
  }

  /** For an answer that is yet to come. */
  traceOfLater(request: HttpRequest, begun: number): Trace | undefined {
    return this.#observer && this.traceOf(request, begun)
  }

  /** @param trace Undefined as from `traceOfLater`. */
  idOf(trace: Trace | undefined): string {
    return trace?.id ?? this.#ids.next()
  }

  refused(trace: Trace | undefined, status: number, code?: ProblemCode): void {
    const tell = this.#observer?.refused
    if (tell && trace) this.#tell(tell, trace.record(status, code))
  }

  answered(request: HttpRequest, begun: number, status: number): void {
    const tell = status < 400 ? this.#observer?.answered : this.#observer?.refused
    if (tell) this.#tell(tell, this.traceOf(request, begun).record(status))
  }

  answeredLater(trace: Trace | undefined, status: number): void {
    const tell = this.#observer?.answered
    if (tell && trace) this.#tell(tell, trace.record(status))
  }

  /** A log that fails must not take the answer with it. */
  #tell(tell: (record: RequestRecord) => void, record: RequestRecord): void {
    try {
      tell(record)
    } catch (error) {
      this.#report(error)
    }
  }
}

/** What a record needs of a request, without the request: a long poll waits with it. */
export class Trace {
  readonly id: string
  readonly #begun: number
  readonly #method: string
  readonly #path: string
  readonly #address: string | undefined
  readonly #subject: string | undefined

  /** @param begun By `performance.now()`. */
  constructor(request: HttpRequest, id: string, begun: number) {
    this.id = id
    this.#begun = begun
    this.#method = request.method.slice(0, METHOD_LENGTH)
    this.#path = loggedPath(request.path)
    this.#address = request.address
    this.#subject = subjects.get(request)?.slice(0, SUBJECT_LENGTH)
  }

  record(status: number, code?: ProblemCode): RequestRecord {
    return {
      id: this.id,
      method: this.#method,
      path: this.#path,
      status,
      ...(code !== undefined && { code }),
      ...(this.#address !== undefined && { address: this.#address }),
      ...(this.#subject !== undefined && { subject: this.#subject }),
      ms: Math.round((performance.now() - this.#begun) * 10) / 10,
    }
  }
}

/**
 * Node hands on bytes above 0x7f as they came. What is behind an encoded question mark was meant to be a query, which is kept out of
 * logs. `...` stands for what was cut.
 */
export function loggedPath(path: string): string {
  const mark = path.slice(0, PATH_LENGTH).search(/%3f/i)
  const end = mark < 0 ? PATH_LENGTH : mark
  const kept = path.length > end ? `${path.slice(0, end)}...` : path
  return kept.replace(/[^\x21-\x7e]/g, (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`)
}
