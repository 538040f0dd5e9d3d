/** Which transport a request asks for. Pure. */

export type Transport = 'sse' | 'long-poll' | 'poll' | 'websocket'

/** How much a media type is wanted: RFC 9110 12.5.1, the most specific range that matches decides. */
interface Wanted {
  readonly q: number
  /** 3 for `type/subtype`, 2 for `type/*`, 1 for all, 0 for none. */
  readonly precision: number
}

function wanted(accept: string, type: string): Wanted {
  const major = `${type.slice(0, type.indexOf('/'))}/*`
  let best: Wanted = { q: 0, precision: 0 }
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    const precision = range === type ? 3 : range === major ? 2 : range === '*/*' ? 1 : 0
    if (precision === 0 || precision < best.precision) continue
    const q = weight(parameters)
    // Of two equal ranges (with other parameters, say) the one that is wanted more.
    if (precision > best.precision || q > best.q) best = { q, precision }
  }
  return best
}

function weight(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith('q='))
  if (q === undefined) return 1
  const value = Number(q.slice(2))
  return value >= 0 && value <= 1 ? value : 0
}

/** Event streams only when they are named, not by a wildcard, and wanted no less than JSON. Undefined: neither form will do. */
export function wantsStream(accept: string | undefined): boolean | undefined {
  // Of a list, empty elements don't count (RFC 9110 5.6.1.2).
  if (accept === undefined || !/[^\s,]/.test(accept)) return false
  const stream = wanted(accept, 'text/event-stream')
  const page = wanted(accept, 'application/json')
  if (stream.precision === 3 && stream.q > 0 && stream.q >= page.q) return true
  return page.q > 0 ? false : undefined
}

/** Whether the client understands an honest refusal of a stream. A bare EventSource dies of any status but 200. */
export function wantsProblem(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const { q, precision } = wanted(accept, 'application/problem+json')
  return precision === 3 && q > 0
}

/** The seconds of `Prefer: wait=N` (RFC 7240); what is no number is passed over, as that RFC says. */
export function preferredWait(prefer: string | undefined): number | undefined {
  for (const preference of prefer?.split(',') ?? []) {
    const match = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;|$)/i.exec(preference)
    if (match) return Number(match[1])
  }
  return undefined
}
