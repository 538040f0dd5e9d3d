/** One request, and what its answer means before its body is read. */
import { retryAfterMs } from './backoff.ts'
import type { Environment } from './environment.ts'
import { SubscribeError } from './error.ts'
import type { Limits } from './limits.ts'
import type { Pace } from './pace.ts'
import type { Place } from './source.ts'
import type { SubscribeOptions } from './types.ts'

/** What all requests of a subscription have in common. */
export interface Asker {
  readonly url: string
  readonly options: SubscribeOptions
  readonly limits: Limits
  readonly env: Environment
  readonly pace: Pace
}

/** How a hub's URLs end. */
export const HUB_PATH = /\/channels\/[^/]+$/

/**
 * Asks, and takes a 200 of this type, or a 204.
 *
 * @param more Parameters of the query, for hubs
 * @throws {SubscribeError} `refused`, `not-a-stream`
 * @throws whatever `headers()` and `fetch` fail with, and when the signal aborts
 */
export async function ask(
  { url, options, env, pace }: Asker,
  { hub, cursor, start }: Place,
  type: string,
  more: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  await pause(env, pace.take(env.now()), signal)
  const { credentials, headers: given } = options
  const supplied = typeof given === 'function' ? given() : given
  const headers = new Headers(await abortable(supplied, signal))
  // With problems named, a hub refuses in so many words (protocol 14.2.2).
  headers.set('accept', `${type}, application/problem+json`)
  const whole = new URL(url)
  if (hub !== false) {
    // Where reading begins goes into the query: a header of its own would need a preflight.
    const { searchParams } = whole
    const from = cursor === undefined ? start : { after: cursor }
    if (from['after']) searchParams.delete('last')
    for (const [name, value] of Object.entries({ ...from, ...more })) searchParams.set(name, value)
  }
  // Whether the server looks at the query nobody knows before it has answered.
  if (cursor && !hub && (hub === false || !HUB_PATH.test(whole.pathname))) {
    // UTF-8, as the characters that a header has.
    const id = unescape(encodeURIComponent(cursor))
    // A header cannot hold control characters (RFC 9110 5.5).
    if (/^[\t -~\x80-\xff]+$/.test(id)) headers.set('last-event-id', id)
  }
  const init = { cache: 'no-store', headers, signal, credentials } as RequestInit
  const response = await abortable((options.fetch ?? env.fetch)(whole.href, init), signal)
  const { status } = response
  const answered = `${response.headers.get('content-type')}`.toLowerCase()
  if (status === 204 || (status === 200 && answered.startsWith(type))) return response
  throw await refusal(response, answered, env.now(), signal)
}

/** What a status other than those means. @param type Its content type, in lower case */
export async function refusal(
  response: Response,
  type: string,
  now: number,
  signal: AbortSignal,
): Promise<SubscribeError> {
  const { status, headers } = response
  let problem: { code?: string; detail?: string } = {}
  try {
    const read = type.startsWith('application/problem+json') ? response.json() : response.body?.cancel()
    problem = Object(await abortable(read, signal))
  } catch {
    // The status says enough.
  }
  if (status < 300) {
    const message = `Expected events, got ${status} ${type}`
    return new SubscribeError('not-a-stream', message, { status })
  }
  const { code = '', detail = 'check URL and headers' } = problem
  return new SubscribeError('refused', `${status} ${code}: ${detail}`.slice(0, 500), {
    status,
    problem: code || undefined,
    retryAfter: retryAfterMs(headers.get('retry-after'), now),
  })
}

/** The promise, or a rejection when the signal aborts: not everybody's `fetch` heeds it. */
export async function abortable<T>(promise: PromiseLike<T> | T, signal: AbortSignal): Promise<T> {
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new Error('aborted'))
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
  })
  // In this order: a body that always has more would go before.
  return await Promise.race([aborted, promise]).finally(() => signal.removeEventListener('abort', stop))
}

/** @throws when the signal aborts */
export async function pause({ after }: Environment, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return
  let cancel = (): void => {}
  const slept = new Promise<void>((resolve) => (cancel = after(ms, resolve)))
  await abortable(slept, signal).finally(cancel)
}

/** Takes the chunks one by one; the next is read when `take` is done. However it ends, the body is let go. */
export async function eachChunk(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  take: (chunk: Uint8Array) => unknown,
): Promise<void> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await abortable(reader.read(), signal)
      if (done) return
      await take(value)
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
