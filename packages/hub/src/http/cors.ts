/** Cross-origin requests: same origin only, unless origins are named. Pure. */
import { HubError } from '../errors.ts'
import type { Headers, HttpRequest } from './message.ts'

const ALLOW_HEADERS =
  'Accept, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer'
const EXPOSE_HEADERS = 'ETag, Retry-After, Preference-Applied, Location, X-Request-Id'
/** How long a browser may remember a preflight, in seconds. */
const MAX_AGE = '600'

export const NO_CORS: Headers = {}

/**
 * Each is one origin as browsers write it. `*` and `null` would be those of pages that nobody knows, with the reader's cookies.
 *
 * @throws {HubError} `invalid-option`
 */
export function checkOrigins(origins: readonly string[]): readonly string[] {
  const wrong = origins.find((origin) => !isOrigin(origin))
  if (wrong === undefined) return origins
  throw new HubError(
    'invalid-option',
    `Expected \`origins\` such as https://app.example, without a slash at the end, got ${JSON.stringify(wrong)}`,
  )
}

function isOrigin(text: string): boolean {
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

/** What an answer to this request needs so that a page of a named origin may see it. */
export function corsHeaders(request: HttpRequest, origins: readonly string[]): Headers {
  const origin = request.header('origin')
  if (origin === undefined || !origins.includes(origin)) return NO_CORS
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': EXPOSE_HEADERS,
  }
}

/** What the answer to a preflight needs besides. */
export function preflightHeaders(request: HttpRequest, origins: readonly string[], allow: string): Headers {
  const cors = corsHeaders(request, origins)
  if (
    request.header('access-control-request-method') === undefined ||
    !('access-control-allow-origin' in cors)
  )
    return {}
  return {
    'access-control-allow-methods': allow,
    'access-control-allow-headers': ALLOW_HEADERS,
    'access-control-max-age': MAX_AGE,
  }
}
