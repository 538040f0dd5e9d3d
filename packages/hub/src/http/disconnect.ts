/** `POST /disconnect`: ends streams and waiting long polls of this hub. */
import type { Disconnect } from '../hub-options.ts'
import type { Hub } from '../hub.ts'
import { expected, jsonBody } from './json-body.ts'
import { type HttpRequest, json, type WholeAnswer } from './message.ts'
import { refuseQuery } from './query.ts'

export async function disconnect(hub: Hub, request: HttpRequest): Promise<WholeAnswer> {
  refuseQuery(request.query)
  const who = whoOf(await jsonBody(request, ['subject', 'channel', 'reader', 'revoke']))
  return json({ disconnected: hub.disconnect(who) }, { 'cache-control': 'no-store' })
}

function whoOf(body: Readonly<Record<string, unknown>>): Disconnect {
  const { subject, channel, reader, revoke } = body
  const given = [subject, channel, reader].filter((value) => value !== undefined)
  if (given.length !== 1) throw expected('`subject`, `channel` or `reader`, one of them')
  if (revoke !== undefined && (typeof revoke !== 'boolean' || typeof subject !== 'string'))
    throw expected('`revoke` to be true or false, and beside `subject`')
  if (subject === '' && revoke === true)
    throw expected('`subject` to be somebody: nobody has no rights to revoke')
  if (typeof subject === 'string') return revoke === true ? { subject, revoke } : { subject }
  if (typeof channel === 'string') return { channel }
  if (typeof reader === 'number' && Number.isSafeInteger(reader)) return { reader }
  throw expected('`subject` and `channel` to be strings, `reader` to be a number')
}
