/** `POST /channels/{…}` and `DELETE /channels/{…}`. */
import type { Hub } from '../hub.ts'
import { checkType } from '../log/settle.ts'
import type { Publishable } from '../publish.ts'
import { type Headers, type HttpRequest, STANDING, type WholeAnswer } from './message.ts'
import { Memo } from './memo.ts'
import { parseNdjson } from './ndjson.ts'
import { Problem } from './problem.ts'
import { Query, refuseQuery } from './query.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const PUBLISHED: Headers = { 'content-type': 'application/json', ...STANDING }

export interface WriteLimits {
  /** Bytes of a request's body. */
  readonly body: number
  /** Takes so many events to each channel, an end without any for one. @throws {HubError} `too-fast` */
  readonly pace?: (events: number) => void
}

/** What `POST` asks for, as far as the head tells. @throws {Problem} as `Query`, `unsupported-media-type`, `invalid-header` */
export interface PublishRequest {
  readonly type: string | undefined
  readonly end: boolean
  readonly ndjson: boolean
}

const plans = new Memo<PublishRequest>()

export function publishRequest(request: HttpRequest): PublishRequest {
  const contentType = request.header('content-type') ?? ''
  const encoding = request.header('content-encoding')
  return plans.get(`${request.query}\n${contentType}\n${encoding ?? ''}`, () => {
    const query = new Query(request.query, ['type', 'end'])
    return {
      type: typeOf(query.text('type')),
      end: query.flag('end'),
      ndjson: mediaType(contentType, encoding) === 'application/x-ndjson',
    }
  })
}

export async function publish(
  hub: Hub,
  request: HttpRequest,
  channels: readonly string[],
  plan: PublishRequest,
  subject: string,
  limits: WriteLimits,
): Promise<WholeAnswer> {
  const key = idempotencyKey(request.header('idempotency-key'))
  const text = decode(await request.body(limits.body))
  const { end } = plan
  const events = publications(text, plan, hub.limits.batch)
  limits.pace?.(Math.max(1, events.length))
  const published = await hub.publishTo(channels, events, {
    ...(key === undefined
      ? {}
      : { idempotencyKey: key, scope: JSON.stringify([subject, request.method, request.path]) }),
    end,
  })
  const { ids, repeated } = published
  const headers = repeated ? { ...PUBLISHED, 'idempotent-replayed': 'true' } : PUBLISHED
  // Cursors need no escaping.
  return { status: 200, headers, body: `{"ids":${ids.length > 0 ? `["${ids.join('","')}"]` : '[]'}}\n` }
}

function publications(
  text: string,
  { type, end, ndjson }: PublishRequest,
  limit: number,
): readonly Publishable[] {
  if (ndjson) return parseNdjson(text, type, limit)
  // An end needs no event; without it, an empty body is an event without data.
  if (end && text === '') return []
  return [{ data: text, ...(type === undefined ? {} : { type }) }]
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Problem('invalid-utf8', 'Expected a body in UTF-8: the bytes are something else')
  }
}

/** The essence of the body's media type; data of any type is taken as text, but for what can't be. */
function mediaType(contentType: string, encoding: string | undefined): string {
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new Problem(
      'unsupported-media-type',
      'Expected a body without `Content-Encoding`: send it as it is',
    )
  }
  const [essence = '', ...parameters] = contentType.toLowerCase().split(';')
  if (essence.trim().startsWith('multipart/')) {
    throw new Problem('unsupported-media-type', 'A form of several parts is no data: send the body itself')
  }
  for (const parameter of parameters) {
    const charset = charsetOf(parameter)
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
      throw new Problem(
        'unsupported-media-type',
        'Expected a body in UTF-8: convert it, or leave `charset` out',
      )
    }
  }
  return essence.trim()
}

/** Taken apart by hand: an expression that passes over spaces in several places takes minutes for a head full of them. */
function charsetOf(parameter: string): string | undefined {
  const mark = parameter.indexOf('=')
  if (mark < 0 || parameter.slice(0, mark).trim() !== 'charset') return undefined
  const value = parameter.slice(mark + 1).trim()
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

function typeOf(type: string | undefined): string | undefined {
  try {
    return type === undefined ? undefined : checkType(type)
  } catch (error) {
    throw new Problem('invalid-type', (error as Error).message, { parameter: 'type' })
  }
}

function idempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]{1,255}$/.test(header)) return header
  throw new Problem('invalid-header', 'Expected `Idempotency-Key` to be 1 to 255 visible ASCII characters', {
    parameter: 'Idempotency-Key',
  })
}

export async function drop(hub: Hub, request: HttpRequest, channel: string): Promise<WholeAnswer> {
  refuseQuery(request.query)
  if (await hub.drop(channel)) return { status: 204, headers: {} }
  throw new Problem('unknown-channel', 'Nobody has heard of this channel: there is nothing to erase')
}
