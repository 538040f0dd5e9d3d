/** What a request for a channel asks for, as the meter of the Lab sees it: which technique it is, and how large it was. Pure. */
import type { IncomingMessage } from 'node:http'
import type { Origin } from '../delivery/start.ts'
import type { HubLimits } from '../hub-options.ts'
import { withoutKeys } from '../http/keys-in-url.ts'
import type { HttpRequest } from '../http/message.ts'
import { namesOf } from '../http/names-of.ts'
import { asksForStream, readRequest } from '../http/read-request.ts'
import type { Technique } from './report.ts'

export interface Asked {
  readonly technique: Technique
  /** Undefined: it will be refused. */
  readonly origin: Origin | undefined
}

const PATH = '/channels/'

/** Whether it reads this channel, by its name. */
export function readsChannel({ method, path }: HttpRequest, channel: string): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || !path.startsWith(PATH)) return false
  if (path.length === PATH.length + channel.length) return path.endsWith(channel)
  // A longer one may name others beside it, or be percent-encoded.
  if (path.length < PATH.length + channel.length) return false
  try {
    return namesOf(path).includes(channel)
  } catch {
    return false
  }
}

/** By the same reading of the request as the answer's. */
export function askedOf(request: HttpRequest, limits: HubLimits): Asked {
  const upgrade = request.header('upgrade')?.toLowerCase() === 'websocket'
  try {
    const { transport, origin } = readRequest(withoutKeys(request), limits)
    return { technique: upgrade ? 'websocket' : transport, origin }
  } catch {
    return { technique: upgrade ? 'websocket' : guessed(request), origin: undefined }
  }
}

/** Of what will be refused. */
function guessed(request: HttpRequest): Technique {
  if (asksForStream(request)) return 'sse'
  return /(?:^|&)(?:wait=|transport=long-poll)/.test(request.query) ? 'long-poll' : 'poll'
}

/**
 * Bytes of a head of HTTP/1, from its first line to its empty one: what the parser took them for, with one space behind each colon, which is
 * how all clients write them.
 */
export function headSize({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  // Two spaces, `HTTP/1.1` and a line end; the empty line.
  let size = method.length + url.length + 12 + 2
  for (const text of rawHeaders) size += text.length + 2
  return size
}

/** Bytes of a body that a read has no use for. */
export function bodySize({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0)
}
