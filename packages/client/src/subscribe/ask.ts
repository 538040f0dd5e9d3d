/** One request, and what its answer means before its body is read. */
import { byteString } from '../request.ts'
import { retryAfterMs } from './backoff.ts'
import type { Environment } from './environment.ts'
import { SubscribeError } from './error.ts'
import type { Limits } from './limits.ts'
import type { Pace } from './pace.ts'
import type { Outcome, Place } from './source.ts'
import type { SubscribeOptions } from './types.ts'

/** What all requests of a subscription have in common. */
export interface Asker {
  readonly url: string
  readonly options: SubscribeOptions
  readonly limits: Limits
  readonly env: Environment
  readonly pace: Pace
}

/** Of a refusal only this much is read. */
const PROBLEM = 2 ** 16

const HUB_PATH = /\/channels\/[^/]+$/

/** Where the reading begins goes into the query: a header of its own would need a preflight. */
function urlOf(url: string, { cursor, start }: Place, more: Readonly<Record<string, string>>): string {
  const whole = new URL(url)
  const { searchParams } = whole
  const from = cursor === undefined ? start : { after: cursor }
  if (from['after'] !== undefined) searchParams.delete('last')
  for (const [name, value] of Object.entries({ ...from, ...more })) searchParams.set(name, value)
  return whole.href
}

/** @throws whatever `headers()` and `fetch` fail with, and when the signal aborts */
export async function ask(
  { url, options, env, pace }: Asker,
  place: Place,
  accept: string,
  more: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  const wait = pace.take(env.now())
  if (wait > 0) await pause(env, wait, signal)
  const { credentials, headers: given } = options
  const supplied = typeof given === 'function' ? headersOf(given) : given
  const headers = new Headers(await abortable(Promise.resolve(supplied), signal))
  headers.set('accept', accept)
  const plain = place.hub === false
  // Nobody knows yet whether this server looks at the query.
  if (plain || (place.hub === undefined && place.cursor && !HUB_PATH.test(new URL(url).pathname))) {
    const id = byteString(place.cursor ?? '')
    // A header cannot hold control characters (RFC 9110 5.5).
    if (/^[\t -~\x80-\xff]+$/.test(id)) headers.set('last-event-id', id)
  }
  const init = { cache: 'no-store', headers, signal, ...(credentials && { credentials }) } as const
  const fetch = options.fetch ?? ((href: string, request: RequestInit) => env.fetch(href, request))
  const asked = fetch(plain ? url : urlOf(url, place, more), init)
  const response = await abortable(asked, signal)
  if (!signal.aborted) return response
  discard(response)
  throw new Error('aborted')
}

async function headersOf(supply: () => HeadersInit | PromiseLike<HeadersInit>): Promise<HeadersInit> {
  try {
    return await supply()
  } catch (cause) {
    throw new SubscribeError('headers', `\`headers()\` failed: ${String(cause)}`, { cause })
  }
}

/** The promise, or a rejection when the signal aborts: not everybody's `fetch` heeds it. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new Error('aborted'))
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Rejects when the signal aborts. */
export function pause({ after }: Environment, ms: number, signal: AbortSignal): Promise<void> {
  let cancel: (() => void) | undefined
  const slept = new Promise<void>((resolve) => void (cancel = after(ms, resolve)))
  return abortable(slept, signal).finally(cancel)
}

export function discard(response: Response): void {
  response.body?.cancel().catch(() => {})
}

/** What an attempt failed with when it threw. */
export function failure(cause: unknown, signal: AbortSignal): Outcome {
  if (signal.aborted) return { kind: 'aborted' }
  const error =
    cause instanceof SubscribeError
      ? cause
      : new SubscribeError('network', `The connection failed: ${String(cause)}`, { cause })
  return { kind: 'failed', error, lasting: false }
}

/** What an answer means that is no success, or not of the type that was asked for. */
export async function refusal({ env }: Asker, response: Response, signal: AbortSignal): Promise<Outcome> {
  const { status, headers } = response
  const type = headers.get('content-type') ?? ''
  if (status < 300) {
    discard(response)
    const error = new SubscribeError(
      'not-a-stream',
      `Expected a stream or a page of events, got ${status} ${type}: is the URL that of a channel?`,
      { status },
    )
    return { kind: 'failed', error, lasting: true }
  }
  let problem: { code?: unknown; detail?: unknown } = {}
  if (type.startsWith('application/problem+json')) {
    try {
      const text = await abortable(response.text(), signal)
      problem = Object(JSON.parse(text.slice(0, PROBLEM)))
    } catch (cause) {
      if (signal.aborted) return failure(cause, signal)
    }
  } else discard(response)
  const code = typeof problem.code === 'string' ? problem.code : undefined
  const detail = typeof problem.detail === 'string' ? problem.detail : (MENDING[status] ?? '')
  const error = new SubscribeError(
    'refused',
    `Refused with ${status}${code ? ` ${code}` : ''}${detail && `: ${detail}`}`,
    {
      status,
      problem: code,
    },
  )
  return {
    kind: 'failed',
    error,
    lasting: isLasting(status),
    byHub: code !== undefined,
    retryAfter: retryAfterMs(headers.get('retry-after'), env.now()),
  }
}

const MENDING: Readonly<Record<number, string>> = {
  401: 'give `headers` that sign in',
  403: 'this user may not read it',
  404: 'is the URL that of a channel, as in /channels/orders?',
}

/** Later the answer would be the same, for all that is known. */
export function isLasting(status: number): boolean {
  if (status === 408 || status === 425 || status === 429) return false
  return status < 500 || status === 501 || status === 505
}
