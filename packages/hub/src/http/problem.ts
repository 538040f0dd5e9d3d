/** What is refused, as `application/problem+json` (RFC 9457): what was wrong and how to mend it. */
import { WireError } from '@downlink/wire'
import { HubError } from '../errors.ts'
import { LogError } from '../log/log.ts'
import type { Headers, WholeAnswer } from './message.ts'

/** Every code, its status and its title. `docs/protocol.md` section 13 is this table in words. */
export const PROBLEMS = {
  // What was asked for
  'invalid-channel': [400, 'Not a channel name'],
  'invalid-pattern': [400, 'Not a pattern'],
  'too-many-channels': [400, 'Too many channels'],
  'duplicate-channel': [400, 'A channel named twice'],
  'pattern-not-allowed': [400, 'A pattern where a name is needed'],
  'invalid-cursor': [400, 'Not a cursor'],
  'invalid-parameter': [400, 'Not a value for this parameter'],
  'unknown-parameter': [400, 'Unknown parameter'],
  'repeated-parameter': [400, 'A parameter given twice'],
  'invalid-header': [400, 'Not a value for this header'],
  'bad-request': [400, 'Not a request'],
  // What was sent
  'invalid-type': [400, 'Not an event type'],
  'invalid-utf8': [400, 'Not UTF-8'],
  'invalid-ndjson': [400, 'Not NDJSON'],
  'empty-batch': [400, 'No events'],
  'body-aborted': [400, 'The body broke off'],
  // Who asked
  unauthorized: [401, 'Who are you?'],
  forbidden: [403, 'Not allowed'],
  guard: [403, 'No rules yet'],
  'cross-site': [403, 'From another site'],
  'reserved-channel': [403, "The hub's own channel"],
  'not-found': [404, 'Not here'],
  'unknown-channel': [404, 'Unknown channel'],
  'method-not-allowed': [405, 'Not with this method'],
  'not-acceptable': [406, 'Not in this form'],
  'body-timeout': [408, 'Too slow'],
  'channel-ended': [409, 'The channel has ended'],
  'idempotency-running': [409, 'Still running'],
  'body-too-large': [413, 'Too large'],
  'batch-too-large': [413, 'Too many events'],
  'unsupported-media-type': [415, 'Not this media type'],
  'idempotency-mismatch': [422, 'Another content for the same key'],
  'head-too-large': [431, 'The head is too large'],
  // What the hub can't do now
  internal: [500, 'Our fault'],
  'not-implemented': [501, 'No such method'],
  draining: [503, 'Stopping'],
  overload: [503, 'Full'],
  'log-unavailable': [503, 'The log is away'],
  'log-full': [503, 'The log is full'],
  'log-closed': [503, 'Stopping'],
} as const satisfies Record<string, readonly [number, string]>

export type ProblemCode = keyof typeof PROBLEMS

/** More members of the problem: `parameter`, `line`, `limit`. */
export type ProblemMembers = Readonly<Record<string, string | number>>

export class Problem extends Error {
  readonly code: ProblemCode
  readonly headers: Headers
  readonly members: ProblemMembers
  override readonly name = 'Problem'

  constructor(code: ProblemCode, detail: string, members: ProblemMembers = {}, headers: Headers = {}) {
    super(detail)
    this.code = code
    this.members = members
    this.headers = headers
  }

  get status(): number {
    return PROBLEMS[this.code][0]
  }

  /** Whether the same request may succeed a little later. */
  get temporary(): boolean {
    return this.status === 503 || this.status === 500
  }
}

/** Whatever was thrown, as a problem. What nobody foresaw is `internal`, and tells nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof WireError || error instanceof HubError || error instanceof LogError) {
    const members = error instanceof HubError && error.limit !== undefined ? { limit: error.limit } : {}
    if (error.code in PROBLEMS) return new Problem(error.code as ProblemCode, error.message, members)
  }
  return new Problem('internal', 'The hub failed on this request; its log says why')
}

export function headTooLarge(limit: number): Problem {
  return new Problem(
    'head-too-large',
    `Expected a request line and headers of at most ${limit} bytes: send fewer or shorter ones`,
    { limit },
  )
}

export function problemAnswer(problem: Problem): WholeAnswer {
  const { code, status, message, members, headers } = problem
  const [, title] = PROBLEMS[code]
  const body = { type: `urn:downlink:problem:${code}`, title, status, detail: message, code, ...members }
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    body: `${JSON.stringify(body)}\n`,
  }
}
