/** What an answer that is no success means: whether to try again, when, and what to tell people. */

export interface Refusal {
  readonly status: number
  /** The problem's code; `''` when the answer was no problem of a hub. */
  readonly code: string
  /** One line for people. */
  readonly text: string
  /** Trying again can't help. */
  readonly lasting: boolean
  /** What `Retry-After` asks for. */
  readonly retryAfterMs: number
  /** The number of the line of the batch that was wrong. */
  readonly line?: number
}

/** Of what else may answer in the hub's place only this much is looked at. */
const MOST_BYTES = 64 * 1024

export async function refusalOf(response: Response, now: number): Promise<Refusal> {
  const problem = await problemOf(response)
  const code = textOf(problem, 'code') ?? ''
  const detail = textOf(problem, 'detail') ?? textOf(problem, 'title')
  const line = problem['line']
  return {
    status: response.status,
    code,
    text: `${detail ?? `the answer of ${new URL(response.url).origin} was no hub's`} (${response.status} ${code || response.statusText})`,
    lasting: isLasting(response.status, code),
    retryAfterMs: retryAfter(response.headers.get('retry-after'), now),
    ...(typeof line === 'number' ? { line } : {}),
  }
}

/** `docs/protocol.md`, 13.2 and 14: what a hub, or a balancer before it, refuses for a time. */
export function isLasting(status: number, code: string): boolean {
  if (status === 409) return code !== 'idempotency-running'
  if (status === 408 || status === 425 || status === 429) return false
  return status < 500 || status === 501 || status === 505
}

/** Seconds or a date (RFC 9110 10.2.3), in milliseconds from now; 0 when there is none that can be read. */
export function retryAfter(header: string | null, now: number): number {
  if (header === null) return 0
  // JavaScript reads a date into almost anything; HTTP's end in GMT.
  const date = header.endsWith(' GMT') ? Date.parse(header) : Number.NaN
  const wait = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : date - now
  // A day and more is a mistake, and longer than a timer may run.
  return wait > 0 ? Math.min(wait, 3_600_000) : 0
}

async function problemOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const type = response.headers.get('content-type') ?? ''
  if (!/^application\/(?:problem\+)?json\b/i.test(type)) {
    await response.body?.cancel()
    return {}
  }
  try {
    const value: unknown = JSON.parse(await textAtMost(response, MOST_BYTES))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

async function textAtMost(response: Response, bytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    size += chunk.length
    if (size > bytes) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

function textOf(problem: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = problem[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}
