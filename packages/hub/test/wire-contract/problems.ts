/** Every code of the table in 13.2.1 can be met, and looks as it says. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ProblemCode } from '../../src/http/problem.ts'
import { type Ask, ask, type Got, problemOf } from './client.ts'
import { type Face, fresh, type Running, shared } from './face.ts'

type Meet = (hub: Running) => Promise<Got>

/** Of these the connection must be torn or strange: `http-hostile.test.ts`, on the hub's own server. */
type Torn = 'bad-request' | 'body-aborted' | 'body-timeout' | 'head-too-large'
/** These need rules: `access.ts`, `tickets.ts`, `disconnects.ts`, `limits.test.ts`, `auth-refusal.test.ts`. */
type Ruled =
  | 'unauthorized'
  | 'forbidden'
  | 'invalid-token'
  | 'invalid-credentials'
  | 'keys-unavailable'
  | 'expired'
  | 'revoked'
  | 'invalid-ticket'
  | 'too-many-streams'
/** Ten thousand requests away: `auth-revocations.test.ts`. */
type Far = 'revocations-full'
/** A hub that tells of itself: `ops-lookout.test.ts`. */
type Told = 'mixed-channels'

const get =
  (path: string, headers: NonNullable<Ask['headers']> = {}): Meet =>
  (hub) =>
    ask(hub.url + path, { headers })
const post =
  (path: string, body: string | Uint8Array, headers: NonNullable<Ask['headers']> = {}): Meet =>
  (hub) =>
    ask(`${hub.url}/channels/${path}`, { method: 'POST', body, headers })
/** One after the other; the last one's answer counts. */
const sequence =
  (...steps: readonly Meet[]): Meet =>
  async (hub) => {
    let got: Got | undefined
    for (const step of steps) got = await step(hub)
    return got as Got
  }
const mood =
  (mood: 'away' | 'broken' | 'full', meet: Meet): Meet =>
  async (hub) => {
    await hub.command({ do: 'mood', mood })
    const got = await meet(hub)
    await hub.command({ do: 'mood', mood: 'well' })
    return got
  }
const running: Meet = async (hub) => {
  const send = post(fresh(), 'x', { 'idempotency-key': 'k' })
  await hub.command({ do: 'hold' })
  const held = hub.command({ do: 'held' })
  const first = send(hub)
  await held
  const got = await send(hub)
  await hub.command({ do: 'release' })
  await first
  return got
}
const stopping =
  (command: 'drain' | 'close', meet: Meet): Meet =>
  async (hub) => {
    await hub.command({ do: command })
    return meet(hub)
  }

const ndjson = { 'content-type': 'application/x-ndjson' }
const key = { 'idempotency-key': 'same' }
const ended = fresh('ended')
const mismatch = fresh('mismatch')
const fast = fresh('fast')

const MEET: Readonly<Record<Exclude<ProblemCode, Torn | Ruled | Far | Told>, readonly [number, Meet]>> = {
  'invalid-channel': [400, get('/channels/a..b')],
  'invalid-pattern': [400, get('/channels/a*')],
  'too-many-channels': [400, get(`/channels/${Array.from({ length: 65 }, (_, n) => `c${n}`).join(',')}`)],
  'duplicate-channel': [400, post('a,a', 'x')],
  'pattern-not-allowed': [400, post('a.*', 'x')],
  'invalid-cursor': [400, get('/channels/a?after=x')],
  'invalid-parameter': [400, get('/channels/a?limit=x')],
  'unknown-parameter': [400, get('/channels/a?x')],
  'repeated-parameter': [400, get('/channels/a?last=1&last=1')],
  'invalid-header': [400, post('a', 'x', { 'idempotency-key': 'two words' })],
  'invalid-type': [400, post('a?type=downlink:open', 'x')],
  'invalid-utf8': [400, post('a', Uint8Array.of(0xff))],
  'invalid-ndjson': [400, post('a', 'x', ndjson)],
  'invalid-json': [400, (hub) => ask(`${hub.url}/disconnect`, { method: 'POST', body: '{' })],
  'empty-batch': [400, post('a', '', ndjson)],
  guard: [403, get('/channels/a', { host: 'example.com' })],
  'cross-site': [403, post('a', 'x', { origin: 'https://evil.example' })],
  'reserved-channel': [403, post('$hub', 'x')],
  'not-found': [404, get('/nowhere')],
  'unknown-channel': [404, (hub) => ask(`${hub.url}/channels/nobody`, { method: 'DELETE' })],
  'method-not-allowed': [405, (hub) => ask(`${hub.url}/channels/a`, { method: 'PUT' })],
  'not-acceptable': [406, get('/channels/a', { accept: 'text/html' })],
  'channel-ended': [409, sequence(post(`${ended}?end`, 'x'), post(ended, 'x'))],
  'idempotency-running': [409, running],
  'body-too-large': [413, post('a', 'x'.repeat(2001))],
  'batch-too-large': [413, post('a', '{"data":1}\n'.repeat(11), ndjson)],
  'event-too-large': [413, post('a', 'x'.repeat(1001))],
  'unsupported-media-type': [415, post('a', 'x', { 'content-type': 'multipart/mixed; boundary=x' })],
  'idempotency-mismatch': [422, sequence(post(mismatch, 'x', key), post(mismatch, 'y', key))],
  'too-fast': [
    429,
    sequence(...Array.from({ length: 3 }, () => post(fast, '{"data":1}\n'.repeat(10), ndjson))),
  ],
  internal: [500, mood('broken', get('/channels/a'))],
  'not-implemented': [501, (hub) => ask(`${hub.url}/channels/a`, { method: 'PROPFIND' })],
  overload: [503, get('/channels/a?wait=1')],
  'log-unavailable': [503, mood('away', get('/channels/a'))],
  'log-full': [503, mood('full', post('a', 'x'))],
  // The last two, in this order: there is no way back.
  draining: [503, stopping('drain', get('/channels/a?wait=1'))],
  'log-closed': [503, stopping('close', get('/channels/a'))],
}

export function problemFacts(face: Face): void {
  describe('every problem', () => {
    const limits = { readers: 0, batch: 10, event: 1000, publishesPerChannel: 10 }
    const hub = shared(face, { limits, handler: { bodyLimit: 2000 } })
    for (const [code, [status, meet]] of Object.entries(MEET)) {
      const skip = code === 'not-implemented' ? (face.cannot?.['odd-methods'] ?? false) : false
      test(`P13.2.1 ${code} is ${status}`, { skip }, async () => {
        const got = await meet(hub)
        problemOf(got, status, code)
        assert.equal(got.headers['retry-after'] !== undefined, [429, 500, 503].includes(status))
      })
    }
  })
}
