/**
 * All limits that can be set, by the name that the flag, the configuration, the metric and docs/limits.md have for them. What an
 * embedder sets is the option beside it. The test `limits-doc` holds the page against this list.
 */
import type { ProblemCode } from '../http/problem.ts'
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../http/http-limits.ts'
import { DEFAULT_HUB_LIMITS, type HubLimits } from '../hub-options.ts'

export type Unit = 'count' | 'bytes' | 'time' | 'rate'

/** `hub`: `limits` of `createHub`. `http`: an option of `serveHub`, and of the handlers where they have it. `log`: `fullBytes` of the log. */
export type Option =
  | { readonly of: 'hub'; readonly option: keyof HubLimits }
  | { readonly of: 'http'; readonly option: keyof HttpLimits }
  | { readonly of: 'log'; readonly option: 'fullBytes' }

export type LimitSpec = Option & {
  /** `time` is in milliseconds, `rate` a number a second. */
  readonly unit: Unit
  readonly default: number
  /** What who exceeds it is told. */
  readonly answer: ProblemCode | 'cut' | 'closed' | 'refused' | 'waits'
  /** Whether it can be lifted with `none`. */
  readonly none: boolean
}

function hub(option: keyof HubLimits, unit: Unit, answer: LimitSpec['answer'], none: boolean): LimitSpec {
  return { of: 'hub', option, unit, default: DEFAULT_HUB_LIMITS[option], answer, none }
}

function http(option: keyof HttpLimits, unit: Unit, answer: LimitSpec['answer'], none: boolean): LimitSpec {
  return { of: 'http', option, unit, default: DEFAULT_HTTP_LIMITS[option], answer, none }
}

export const LIMITS = {
  streams: hub('readers', 'count', 'overload', true),
  'streams-per-subject': hub('streamsPerSubject', 'count', 'too-many-streams', true),
  'streams-per-address': hub('streamsPerAddress', 'count', 'too-many-streams', true),
  'publishes-per-subject': hub('publishesPerSubject', 'rate', 'too-fast', true),
  'publishes-per-channel': hub('publishesPerChannel', 'rate', 'too-fast', true),
  'tickets-per-subject': hub('ticketsPerSubject', 'rate', 'too-fast', true),
  body: http('bodyLimit', 'bytes', 'body-too-large', false),
  'body-time': http('bodyTimeoutMs', 'time', 'body-timeout', false),
  'large-bodies': http('largeBodies', 'count', 'waits', true),
  batch: hub('batch', 'count', 'batch-too-large', false),
  event: hub('event', 'bytes', 'event-too-large', true),
  head: http('headLimit', 'bytes', 'head-too-large', false),
  'head-time': http('headTimeoutMs', 'time', 'body-timeout', false),
  headers: http('headersLimit', 'count', 'head-too-large', false),
  'answer-time': http('answerTimeoutMs', 'time', 'closed', false),
  channels: hub('channels', 'count', 'too-many-channels', false),
  wait: hub('waitMs', 'time', 'cut', false),
  'page-events': hub('pageEvents', 'count', 'invalid-parameter', false),
  'page-bytes': hub('pageBytes', 'bytes', 'cut', false),
  connections: http('connections', 'count', 'closed', true),
  'http2-streams': http('maxConcurrentStreams', 'count', 'refused', false),
  log: {
    of: 'log',
    option: 'fullBytes',
    unit: 'bytes',
    default: Infinity,
    answer: 'log-full',
    none: true,
  } satisfies LimitSpec,
} as const satisfies Readonly<Record<string, LimitSpec>>

export type LimitName = keyof typeof LIMITS

export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[]

export function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(LIMITS, name)
}
