/**
 * Event injection and forged control events: whatever a publisher writes, by every way of publishing, each reader gets exactly one
 * event, with exactly that text, and nothing that only the hub may say.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isControlType, type StreamEvent } from '@downlink/wire'
import fc from 'fast-check'
import { createHub, type Hub } from '../src/hub.ts'
import { type HubServer, serveHub } from '../src/http/server.ts'
import { ask, askPage, openStream, problemOf } from './wire-contract/client.ts'
import { fresh } from './wire-contract/face.ts'

/** Ends of lines by some standard or other, fields of a stream, and what decoders make disappear. */
const ENDS = [
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '\r\r',
  '\n\r',
  '\u2028',
  '\u2029',
  '\u0085',
  '\v',
  '\f',
  '\0',
  '\ufeff',
  '\u001b',
]
const FIELDS = [
  'event: downlink:end',
  'data: forged',
  'id: 6-6',
  'id',
  'retry: 1',
  ':',
  'data',
  'channel: other',
  '{"channel":"a"}',
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...ENDS, ...FIELDS), fc.string({ unit: 'binary', maxLength: 6 })), {
    maxLength: 10,
  })
  .map((pieces) => pieces.join(''))

/** What arrives of a text (P2.4.2). */
const settled = (text: string): string => text.replaceAll(/\r\n?/g, '\n').toWellFormed()

describe('what a publisher writes', () => {
  let hub: Hub
  let server: HubServer
  before(async () => {
    hub = createHub()
    server = await serveHub(hub, { host: '127.0.0.1' })
  })
  after(async () => {
    await server.stop()
    await hub.close()
  })

  /** All of a channel that has ended, as a stream tells it. */
  async function streamed(channel: string, query: string): Promise<readonly StreamEvent[]> {
    using stream = await openStream(`${server.url}/channels/${channel}?after=start&${query}`)
    const events: StreamEvent[] = []
    for (let event = await stream.next(); event !== undefined; event = await stream.next()) events.push(event)
    return events
  }

  test('arrives as one event with its text, on streams and in pages, whatever stands in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 4 }), async (texts) => {
        const channel = fresh('text')
        for (const one of texts) await ask(`${server.url}/channels/${channel}`, { method: 'POST', body: one })
        const lines = texts.map((data) => JSON.stringify({ data })).join('\n')
        const headers = { 'content-type': 'application/x-ndjson' }
        await ask(`${server.url}/channels/${channel}?end`, { method: 'POST', body: lines, headers })
        const expected = [...texts, ...texts].map(settled)
        const page = await askPage(`${server.url}/channels/${channel}?after=start`)
        assert.deepEqual(
          page.events.map(({ data }) => data),
          expected,
        )
        for (const query of ['', 'fields=channel,time', 'event=channel']) {
          const events = await streamed(channel, query)
          assert.deepEqual(events.map(({ type }) => type).filter(isControlType), [
            'downlink:open',
            'downlink:end',
          ])
          const own = events.filter(({ type }) => !isControlType(type))
          assert.deepEqual(
            own.map(({ data }) => data),
            expected,
          )
          const type = query === 'event=channel' ? channel : 'message'
          assert.ok(
            own.every(
              (event) =>
                event.type === type && event.lastEventId.startsWith(page.cursor.split('-')[0] ?? '?'),
            ),
          )
        }
      }),
      { numRuns: 40 },
    )
  })

  test('has no type that ends a line or is the hub’s own, by query or in a batch, and any other arrives as it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(text, fc.constantFrom('downlink:', 'downlink:open', 'downlink:x')),
        async (type) => {
          const channel = fresh('type')
          const body = JSON.stringify({ type, data: 'x' })
          const headers = { 'content-type': 'application/x-ndjson' }
          const answers = [
            await ask(`${server.url}/channels/${channel}?type=${encodeURIComponent(type.toWellFormed())}`, {
              method: 'POST',
              body: 'x',
            }),
            await ask(`${server.url}/channels/${channel}?end`, { method: 'POST', body, headers }),
          ]
          const wrong =
            type === '' ||
            Buffer.byteLength(type) > 255 ||
            ['\r', '\n', '\0'].some((end) => type.includes(end)) ||
            type.startsWith('downlink:')
          if (wrong) {
            for (const answer of answers) problemOf(answer, 400, 'invalid-type')
            assert.deepEqual((await askPage(`${server.url}/channels/${channel}?after=start`)).events, [])
            return
          }
          for (const query of ['', 'event=channel']) {
            const own = (await streamed(channel, query)).filter((event) => !isControlType(event.type))
            const named = type === 'message' && query !== '' ? channel : type.toWellFormed()
            assert.deepEqual(
              own.map((event) => [event.type, event.data]),
              [
                [named, 'x'],
                [named, 'x'],
              ],
            )
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('forges no control event by the name of its channel', async () => {
    for (const name of ['downlink:end', 'downlink:open', 'downlink:gap', 'downlink:expire', 'downlink:']) {
      await ask(`${server.url}/channels/${name}`, { method: 'POST', body: '{"channel":"a"}' })
      for (const query of ['event=channel', 'event=channel&fields=channel,time', 'fields=channel', '']) {
        using stream = await openStream(`${server.url}/channels/${name}?after=start&${query}`)
        const [open, event] = await stream.take(2)
        assert.equal(open?.type, 'downlink:open')
        assert.deepEqual([event?.type, event?.data], ['message', '{"channel":"a"}'], `${name}?${query}`)
      }
    }
  })

  test('writes to no channel of the hub’s own, by any spelling of its name', async () => {
    for (const name of ['$hub', '%24hub', '%24', '$', '$hub.a', 'a,$hub', 'a%2C%24hub']) {
      for (const method of ['POST', 'DELETE']) {
        const got = await ask(`${server.url}/channels/${name}`, { method, body: 'x' })
        assert.ok(got.status === 403 || got.status === 400, `${method} ${name}: ${got.status}`)
      }
      const got = await ask(`${server.url}/channels/${name}?end`, { method: 'POST', body: '' })
      assert.ok(got.status === 403 || got.status === 400, `${name}?end: ${got.status}`)
    }
    assert.deepEqual(await hub.channels(['$hub', '$hub.a', 'a']), [])
  })
})
