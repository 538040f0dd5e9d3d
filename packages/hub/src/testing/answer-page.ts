/** The answers that the proxy gives by itself, as proxies write them. Pure. */
import { STATUS_CODES } from 'node:http'
import type { Answer } from './fault.ts'
import { closesAfter, type Field, type Head, hasWord, requestLineOf } from './head.ts'

/** @param request that is answered; without one the connection closes after it */
export function answerPage(
  { status, retryAfter, headers = {}, body }: Answer,
  request: Head | undefined,
): { readonly head: Head; readonly body: Buffer } {
  const reason = STATUS_CODES[status] ?? 'Unknown'
  const empty = status === 204 || status === 304
  const bytes = Buffer.from(empty ? '' : (body ?? `<h1>${status} ${reason}</h1>\n`))
  const own: Record<string, string> = { 'content-type': 'text/html', ...lowerCase(headers) }
  if (retryAfter !== undefined) own['retry-after'] = `${retryAfter}`
  if (!empty) own['content-length'] = `${bytes.length}`
  // A client that waits to be told to send its body now never will be, and may send it or not.
  const closes = request === undefined || closesAfter(request) || hasWord(request, 'expect', '100-continue')
  if (closes) own['connection'] = 'close'
  const fields: Field[] = Object.entries(own)
  const isHead = request !== undefined && requestLineOf(request).method === 'HEAD'
  return { head: { line: `HTTP/1.1 ${status} ${reason}`, fields }, body: isHead ? Buffer.alloc(0) : bytes }
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
