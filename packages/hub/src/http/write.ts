/** `POST /channels/{…}` and `DELETE /channels/{…}`. */
import type { Hub } from '../hub.ts'
import { checkType } from '../log/settle.ts'
import type { Publishable } from '../publish.ts'
import { type Answer, type HttpRequest, json } from './message.ts'
import { parseNdjson } from './ndjson.ts'
import { Problem } from './problem.ts'
import { Query, refuseQuery } from './query.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export interface WriteLimits {
  /** Bytes of a request's body. */
  readonly body: number
}

/** What `POST` asks for, as far as the head tells. @throws {Problem} as `Query`, `unsupported-media-type`, `invalid-header` */
export interface PublishRequest {
  readonly type: string | undefined
  readonly end: boolean
  readonly ndjson: boolean
  readonly idempotencyKey: string | undefined
}

export function publishRequest(request: HttpRequest): PublishRequest {
  const query = new Query(request.query, ['type', 'end'])
  return {
    type: typeOf(query.text('type')),
    end: query.flag('end'),
    ndjson: mediaType(request) === 'application/x-ndjson',
    idempotencyKey: idempotencyKey(request.header('idempotency-key')),
  }
}

export async function publish(
  hub: Hub,
  request: HttpRequest,
  channels: readonly string[],
  plan: PublishRequest,
  subject: string,
  limits: WriteLimits,
): Promise<Answer> {
  const text = decode(await request.body(limits.body))
  const { idempotencyKey, end } = plan
  const published = await hub.publish(channels, publications(text, plan, hub.limits.batch), {
    ...(idempotencyKey === undefined
      ? {}
      : { idempotencyKey, scope: JSON.stringify([subject, request.method, request.path]) }),
    end,
  })
  return json(
    `${JSON.stringify({ ids: published.ids })}\n`,
    published.repeated ? { 'idempotent-replayed': 'true' } : {},
  )
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
function mediaType(request: HttpRequest): string {
  const encoding = request.header('content-encoding')
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new Problem(
      'unsupported-media-type',
      'Expected a body without `Content-Encoding`: send it as it is',
    )
  }
  const [essence = '', ...parameters] = (request.header('content-type') ?? '').toLowerCase().split(';')
  if (essence.trim().startsWith('multipart/')) {
    throw new Problem('unsupported-media-type', 'A form of several parts is no data: send the body itself')
  }
  for (const parameter of parameters) {
    const charset = /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1]
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
      throw new Problem(
        'unsupported-media-type',
        'Expected a body in UTF-8: convert it, or leave `charset` out',
      )
    }
  }
  return essence.trim()
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

export async function drop(hub: Hub, request: HttpRequest, channel: string): Promise<Answer> {
  refuseQuery(request.query)
  if (await hub.drop(channel)) return { status: 204, headers: {} }
  throw new Problem('unknown-channel', 'Nobody has heard of this channel: there is nothing to erase')
}
