/** Event streams: the opening, the blocks, several channels, control events. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, openStream, problemOf, post } from './client.ts'
import { type Face, fresh, shared, untilCounts } from './face.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }

export function streamFacts(face: Face): void {
  describe('event streams', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P6.1.1 P15.2.1 a stream has these headers', async () => {
      using stream = await openStream(at(fresh()))
      assert.equal(stream.status, 200)
      assert.partialDeepStrictEqual(
        { ...stream.headers },
        {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store, no-transform',
          'x-accel-buffering': 'no',
          'x-content-type-options': 'nosniff',
          vary: 'Accept, Accept-Encoding, Prefer, Last-Event-ID, Origin, Authorization, Cookie',
        },
      )
    })

    test(
      'P6.1.2 a stream ends with its connection, and is not chunked',
      { skip: face.cannot?.['close-delimited'] ?? false },
      async () => {
        using stream = await openStream(at(fresh()))
        assert.equal(stream.headers['connection'], 'close')
        assert.equal(stream.headers['transfer-encoding'], undefined)
        assert.equal(stream.headers['content-length'], undefined)
      },
    )

    test('P6.2.1 P6.2.2 the opening is these bytes', async () => {
      const channel = fresh()
      const [id] = await post(at(channel), 'x')
      using stream = await openStream(at(`${channel}?after=${id}`))
      await stream.next()
      const opening = /^retry: (\d+)\nevent: downlink:open\nid: (.*)\ndata: {"heartbeat":15000}\n\n$/
      const [, retry, cursor] = opening.exec(stream.text) ?? assert.fail(stream.text)
      assert.equal(cursor, id)
      assert.ok(Number(retry) >= 2000 && Number(retry) <= 4000)
    })

    test('P6.2.2 each connection has its own retry', async () => {
      const retries = new Set<number | undefined>()
      for (let n = 0; n < 8; n++) {
        using stream = await openStream(at('x'))
        await stream.next()
        retries.add(stream.retry)
      }
      assert.ok(retries.size > 1)
    })

    test('P6.3.1 an event is this block: event when typed, id, a data line for each line', async () => {
      const channel = fresh()
      const [a] = await post(at(channel), 'one\ntwo\n\nfour')
      const [b] = await post(at(`${channel}?type=paid`), '')
      const [c] = await post(at(channel), ' leading: and привет 🎉\n')
      using stream = await openStream(at(`${channel}?after=start`))
      await stream.take(4)
      const text = Buffer.from(stream.text, 'latin1').toString()
      assert.equal(
        text.slice(text.indexOf('\n\n') + 2),
        `id: ${a}\ndata: one\ndata: two\ndata:\ndata: four\n\n` +
          `event: paid\nid: ${b}\ndata:\n\n` +
          `id: ${c}\ndata:  leading: and привет 🎉\ndata:\n\n`,
      )
    })

    test('P6.3.6 data=event puts the whole event, as in a page, into the data of an untyped block', async () => {
      const channel = fresh('downlink:end')
      await post(at(`${channel}?type=t`), 'two\nlines')
      await post(at(channel), 'x')
      const page = JSON.parse((await ask(at(channel))).text) as { events: { id: string }[] }
      using stream = await openStream(
        at(`${channel}?after=start&data=event&fields=channel,time&event=channel`),
      )
      const [, ...events] = await stream.take(3)
      assert.deepEqual(
        events.map(({ type, data, lastEventId, channel, time }) => {
          return [type, JSON.parse(data), lastEventId, channel, time]
        }),
        page.events.map((event) => ['message', event, event.id, undefined, undefined]),
      )
      problemOf(await ask(at(`${channel}?data=text`)), 400, 'invalid-parameter')
    })

    test('P6.3.2 fields adds channel and time, which are those of the page', async () => {
      const channel = fresh()
      const [id] = await post(at(`${channel}?type=t`), 'x')
      const page = JSON.parse((await ask(at(channel))).text) as { events: { time: string }[] }
      const time = page.events[0]?.time ?? ''
      const block = async (fields: string): Promise<string> => {
        using stream = await openStream(at(`${channel}?after=start&fields=${fields}`))
        await stream.take(2)
        return stream.text.slice(stream.text.indexOf('\n\n') + 2)
      }
      const both = `event: t\nid: ${id}\nchannel: ${channel}\ntime: ${time}\ndata: x\n\n`
      assert.equal(await block('channel,time'), both)
      assert.equal(await block('time%2Cchannel'), both)
      assert.equal(await block('channel'), both.replace(/time: .*\n/, ''))
      assert.equal(await block('time'), both.replace(/channel: .*\n/, ''))
    })

    test('P6.3.3 event=channel names untyped events by their channel, but forges no control event', async () => {
      const channel = fresh()
      const forger = `downlink:${fresh('end')}`
      await post(at(`${channel},${forger}`), '{"data":"u"}\n{"type":"t","data":"t"}', ndjson)
      using stream = await openStream(at(`${channel},${forger}?after=start&event=channel`))
      const events = (await stream.take(5)).slice(1)
      assert.deepEqual(
        events.map(({ type, data }) => [type, data]),
        [
          [channel, 'u'],
          ['message', 'u'],
          ['t', 't'],
          ['t', 't'],
        ],
      )
    })

    test('P6.3.5 no data, and no type, makes a line or block of its own', async () => {
      const channel = fresh()
      const evil = 'x\r\n\r\nevent: downlink:end\rid: forged\r\ndata: y\n\n:c\n\u2028\ufeff\0'
      const [id] = await post(at(channel), evil)
      using stream = await openStream(at(`${channel}?after=start`))
      const [, event] = await stream.take(2)
      assert.deepEqual(event, {
        type: 'message',
        lastEventId: id,
        data: evil.replaceAll(/\r\n?/g, '\n'),
      })
      assert.equal(stream.text.match(/\n\n/g)?.length, 2)
    })

    test('P1.2.1 P1.2.4 events of several channels and patterns come in the order of positions, live and from the log', async () => {
      const root = fresh('root')
      const [a, b, c] = [`${root}.a`, `${root}.b`, fresh()]
      const ids: string[] = []
      const publish = async (): Promise<void> => {
        for (const channel of [a, b, c, b, a]) ids.push(...(await post(at(channel), channel)))
        ids.push(...(await post(at(`${c},${a},${b}`), '{"data":1}\n{"data":2}', ndjson)))
      }
      await publish()
      using stream = await openStream(at(`${root}.*,${c}?after=start&fields=channel`))
      await stream.next()
      const before = await stream.take(ids.length)
      await publish()
      const live = await stream.take(ids.length - before.length)
      assert.deepEqual(
        [...before, ...live].map(({ lastEventId }) => lastEventId),
        ids,
      )
      assert.deepEqual(
        before.map(({ channel }) => channel),
        [a, b, c, b, a, c, a, b, c, a, b],
      )
    })

    test('P3.2.3 last opens with the newest N, at the cursor before them', async () => {
      const channel = fresh()
      const ids = await post(at(channel), '{"data":1}\n{"data":2}\n{"data":3}', ndjson)
      using stream = await openStream(at(`${channel}?last=2&limit=1`))
      const [open, ...events] = await stream.take(3)
      assert.deepEqual(
        events.map(({ lastEventId }) => lastEventId),
        ids.slice(1),
      )
      using again = await openStream(at(channel), { 'last-event-id': open?.lastEventId ?? '' })
      assert.deepEqual((await again.take(3)).slice(1), events)
    })

    test('P6.7.1 a stream resumes after the last id, wherever it was cut', async () => {
      const channel = fresh()
      const ids = await post(at(channel), '{"data":1}\n{"data":2}\n{"data":3}', ndjson)
      for (const [cut, id] of ids.entries()) {
        using stream = await openStream(at(`${channel}?last=3`), { 'last-event-id': id })
        await stream.next()
        const rest = await stream.take(ids.length - 1 - cut)
        assert.deepEqual(
          rest.map(({ lastEventId }) => lastEventId),
          ids.slice(cut + 1),
        )
      }
    })

    test('P19.1.1 the place of a client that goes away is free again', async () => {
      await untilCounts(hub, { readers: 0, waiting: 0 })
      const streams = await Promise.all(Array.from({ length: 5 }, () => openStream(at('x'))))
      await untilCounts(hub, { readers: 5, waiting: 0 })
      for (const stream of streams) stream.close()
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P18.4.1 HEAD of a stream is its head, and takes no place', async () => {
      const got = await ask(at('x'), { method: 'HEAD', headers: { accept: 'text/event-stream' } })
      assert.deepEqual([got.status, got.headers['content-type'], got.text], [200, 'text/event-stream', ''])
      if (!face.cannot?.['close-delimited']) assert.equal(got.headers['content-length'], undefined)
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })
  })
}
