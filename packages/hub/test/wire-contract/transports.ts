/** One log, and the ways to read it: the same events at the same cursors. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PageEvent, StreamEvent } from '@downlink/wire'
import fc from 'fast-check'
import { askPage, openStream, post } from './client.ts'
import { type Face, fresh, shared, untilCounts } from './face.ts'
import { openSocket } from './page-socket.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }

/** An event of a stream with `fields=channel,time`, as a page has it. */
function pageEvent({ lastEventId, channel = '', type, data, time = '' }: StreamEvent): PageEvent {
  return { id: lastEventId, channel, type, data, time }
}

export function transportFacts(face: Face): void {
  describe('all transports', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P1.2.2 the same publish has the same id, channel, type, data and time by all three', async () => {
      const channel = fresh()
      const batch = ['plain', '', 'line\nline\r\nline\rline', ' lead', '\ufefftext 🎉 \u2028', '\ud800'].map(
        (data, n) => JSON.stringify(n % 2 ? { data, type: `t${n}é` } : { data }),
      )
      using stream = await openStream(at(`${channel}?fields=channel,time`))
      await stream.next()
      const long = askPage(at(`${channel}?wait=60`))
      await untilCounts(hub, { readers: 1, waiting: 1 })
      const ids = await post(at(channel), batch.join('\n'), ndjson)
      const live = (await stream.take(ids.length)).map(pageEvent)
      const poll = await askPage(at(channel))
      assert.deepEqual(
        poll.events.map(({ id }) => id),
        ids,
      )
      assert.deepEqual(
        poll.events.map(({ data }) => data),
        ['plain', '', 'line\nline\nline\nline', ' lead', '\ufefftext 🎉 \u2028', '\ufffd'],
      )
      assert.deepEqual(live, poll.events)
      assert.deepEqual((await long).events, poll.events)
      using resumed = await openStream(at(`${channel}?after=start&fields=channel,time`))
      await resumed.next()
      assert.deepEqual((await resumed.take(ids.length)).map(pageEvent), poll.events)
    })

    test('P1.2.2 P1.2.5 a reader that changes transport after every page misses nothing and repeats nothing', async (t) => {
      const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31)
      t.diagnostic(`TEST_SEED=${seed}`)
      const ways = [
        'poll',
        'long-poll',
        'sse',
        ...(face.cannot?.websocket === undefined ? ['websocket'] : []),
      ]
      const steps = fc.array(
        fc.record({
          publish: fc.array(
            fc.record({
              to: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
              count: fc.integer({ min: 1, max: 4 }),
            }),
            { maxLength: 3 },
          ),
          transport: fc.constantFrom(...ways),
          byHeader: fc.boolean(),
          limit: fc.integer({ min: 1, max: 5 }),
          late: fc.boolean(),
        }),
        { minLength: 1, maxLength: 12 },
      )
      const property = fc.asyncProperty(steps, async (steps) => {
        const root = fresh('root')
        const published: string[] = []
        const publish = async (of: (typeof steps)[number]['publish']): Promise<void> => {
          for (const { to, count } of of) {
            const names = to.map((name) => `${root}.${name}`).join(',')
            const ids = await post(at(names), '{"data":"x"}\n'.repeat(count), ndjson)
            // Of channel c nothing is read.
            published.push(...ids.filter((_, n) => to[n % to.length] !== 'c'))
          }
        }
        const seen: string[] = []
        let cursor = (await askPage(at(`${root}.a?after=now`))).cursor
        const read = async (
          transport: string,
          byHeader: boolean,
          limit: number,
          publishing: Promise<void>,
        ): Promise<void> => {
          const start = byHeader ? '' : `&after=${cursor}`
          const url = at(`${root}.a,${root}.b?transport=${transport}&limit=${limit}&wait=0${start}`)
          const headers = byHeader ? { 'last-event-id': cursor } : {}
          if (transport === 'websocket') {
            using socket = await openSocket(url, { headers })
            cursor = (await socket.next())?.cursor ?? ''
            await publishing
            for (let n = 0; n < limit && seen.length < published.length; n++) {
              const page = await socket.next()
              assert.ok(page && page.gap === undefined)
              seen.push(...page.events.map(({ id }) => id))
              cursor = page.cursor
            }
            return
          }
          if (transport !== 'sse') {
            const page = await askPage(url, headers)
            assert.equal(page.gap, undefined)
            seen.push(...page.events.map(({ id }) => id))
            cursor = page.cursor
            return
          }
          using stream = await openStream(url, headers)
          cursor = (await stream.next())?.lastEventId ?? ''
          await publishing
          for (let n = 0; n < limit && seen.length < published.length; n++) {
            const event = await stream.next()
            assert.equal(event?.type, 'message')
            seen.push(event.lastEventId)
            cursor = event.lastEventId
          }
        }
        for (const { publish: of, transport, byHeader, limit, late } of steps) {
          const publishing = publish(of)
          if (!late) await publishing
          await read(transport, byHeader, limit, publishing)
          await publishing
        }
        while (seen.length < published.length) await read('poll', false, 5, Promise.resolve())
        await read('long-poll', false, 5, Promise.resolve())
        assert.deepEqual(seen, published)
      })
      await fc.assert(property, { seed, numRuns: 15 })
    })
  })
}
