/** What is refused, as `application/problem+json` (RFC 9457): what was wrong and how to mend it. */
import { WireError } from '@downlink/wire'
import { Refusal, type RefusalCode } from '../auth/refusal.ts'
import { HubError } from '../errors.ts'
import { LogError } from '../log/log.ts'
import type { LimitName } from '../limits/names.ts'
import type { Headers, WholeAnswer } from './message.ts'

/** Every code, its status and its title. `docs/protocol.md` section 13 is this table in words. */
export const PROBLEMS = {
  // What was asked for
  'invalid-channel': [400, 'Not a channel name'],
  'invalid-pattern': [400, 'Not a pattern'],
  'too-many-channels': [400, 'Too many channels'],
  'duplicate-channel': [400, 'A channel named twice'],
  'mixed-channels': [400, "The hub's own channels and others"],
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
  'invalid-json': [400, 'Not the JSON that is expected'],
  'invalid-ndjson': [400, 'Not NDJSON'],
  'empty-batch': [400, 'No events'],
  'body-aborted': [400, 'The body broke off'],
  // Who asked
  'invalid-credentials': [400, 'Not said in a way that counts'],
  unauthorized: [401, 'Who are you?'],
  expired: [401, 'The right has ended'],
  revoked: [401, 'The right was revoked'],
  'invalid-ticket': [401, 'Not a ticket for this'],
  'invalid-token': [401, 'Not a token that counts'],
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
  'event-too-large': [413, 'An event too large'],
  'unsupported-media-type': [415, 'Not this media type'],
  'idempotency-mismatch': [422, 'Another content for the same key'],
  'too-many-streams': [429, 'Too many streams'],
  'too-fast': [429, 'Too fast'],
  'head-too-large': [431, 'The head is too large'],
  // What the hub can't do now
  internal: [500, 'Our fault'],
  'not-implemented': [501, 'No such method'],
  draining: [503, 'Stopping'],
  overload: [503, 'Full'],
  'revocations-full': [503, 'Too many revocations'],
  'keys-unavailable': [503, 'The keys are away'],
  'log-unavailable': [503, 'The log is away'],
  'log-full': [503, 'The log is full'],
  'log-closed': [503, 'Stopping'],
} as const satisfies Record<string, readonly [number, string]>

export type ProblemCode = keyof typeof PROBLEMS

/** More members of the problem: `parameter`, `line`, `limit`. */
export type ProblemMembers = Readonly<Record<string, string | number>>

/** Which limit a code speaks of, where it speaks of one only. */
const LIMIT_OF: Partial<Record<ProblemCode, LimitName>> = {
  'body-too-large': 'body',
  'body-timeout': 'body-time',
  'batch-too-large': 'batch',
  'head-too-large': 'head',
  'log-full': 'log',
}

export class Problem extends Error {
  readonly code: ProblemCode
  readonly headers: Headers
  readonly members: ProblemMembers
  /** The limit that was met. */
  readonly limited: LimitName | undefined
  override readonly name = 'Problem'

  constructor(
    code: ProblemCode,
    detail: string,
    members: ProblemMembers = {},
    headers: Headers = {},
    limited: LimitName | undefined = LIMIT_OF[code],
  ) {
    super(detail)
    this.code = code
    this.members = members
    this.headers = headers
    this.limited = limited
  }

  get status(): number {
    return PROBLEMS[this.code][0]
  }

  /** Whether the same request may succeed a little later. */
  get temporary(): boolean {
    return this.status === 503 || this.status === 500 || this.status === 429
  }
}

/** RFC 6750 section 3.1 */
export const INVALID_TOKEN: Headers = { 'www-authenticate': 'Bearer error="invalid_token"' }

/** Whatever was thrown, as a problem. What nobody foresaw is `internal`, and tells nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Refusal) return refused(error)
  if (error instanceof WireError || error instanceof HubError || error instanceof LogError) {
    const members = error instanceof HubError && error.limit !== undefined ? { limit: error.limit } : {}
    if (error.code in PROBLEMS) {
      const code = error.code as ProblemCode
      if (!(error instanceof HubError)) return new Problem(code, error.message, members)
      const headers = PROBLEMS[code][0] === 401 ? INVALID_TOKEN : comeBack(error)
      return new Problem(code, error.message, members, headers, error.limited)
    }
  }
  return new Problem('internal', 'The hub failed on this request; its log says why')
}

/** To the second, where it is known. */
function comeBack({ waitMs }: HubError): Headers {
  return waitMs === undefined ? {} : { 'retry-after': String(Math.ceil(waitMs / 1000)) }
}

/** RFC 6750 section 3.1. */
const BEARER_ERRORS: Readonly<Record<RefusalCode, string | undefined>> = {
  unauthorized: undefined,
  'invalid-credentials': 'invalid_request',
  'invalid-token': 'invalid_token',
  forbidden: 'insufficient_scope',
  'cross-site': undefined,
  'keys-unavailable': undefined,
}

function refused({ code, message }: Refusal): Problem {
  const error = BEARER_ERRORS[code]
  if (error === undefined && code !== 'unauthorized') return new Problem(code, message)
  const challenge =
    error === undefined ? 'Bearer' : `Bearer error="${error}", error_description="${plain(message)}"`
  return new Problem(code, message, {}, { 'www-authenticate': challenge })
}

/** What may stand in a quoted string of a challenge: RFC 6750 allows neither quotes nor backslashes, nor what is not ASCII. */
function plain(text: string): string {
  return text
    .replaceAll(/["\\]/g, "'")
    .replaceAll(/[^ -~]/g, '?')
    .slice(0, 300)
}

export function headTooLarge(limit: number): Problem {
  return new Problem(
    'head-too-large',
    `Expected a request line and headers of at most ${limit} bytes: send fewer or shorter ones`,
    { limit },
  )
}

/** @param id Of the request, where there is one. */
export function problemAnswer(problem: Problem, id?: string): WholeAnswer {
  const { code, status, message, members, headers } = problem
  const [, title] = PROBLEMS[code]
  const type = `urn:downlink:problem:${code}`
  const instance = id === undefined ? {} : { instance: `urn:downlink:request:${id}` }
  const body = { type, title, status, detail: message, ...instance, code, ...members }
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(id !== undefined && { 'x-request-id': id }),
      ...headers,
    },
    body: `${JSON.stringify(body)}\n`,
  }
}
