import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ALL, HOUR, Listener, fact, publish, publishOne, refusal, set, texts, type Suite } from './harness.ts'

export function appendFacts(suite: Suite): void {
  describe('append', () => {
    fact(suite, 'gives each event of a batch its own position, in the order of the batch', async (log) => {
      const batch = ['b', 'a', 'b'].map((channel, index) => ({ channel, data: `${index}` }))
      const { positions, epoch, repeated } = await log.append(batch)
      assert.equal(positions.length, 3)
      assert.ok(positions.every((position, index) => position > (positions[index - 1] ?? 0)))
      assert.equal(epoch, log.state().epochs[0].name)
      assert.equal(repeated, false)
      const page = await log.read(set('a', 'b'), { after: 0 }, ALL)
      assert.deepEqual(texts(page), ['0', '1', '2'])
      assert.deepEqual(
        page.events.map((event) => event.position),
        positions,
      )
    })

    fact(suite, 'numbers go up over all channels, and the frontier is the newest', async (log) => {
      assert.equal(log.state().frontier, 0)
      const first = await publishOne(log, 'a')
      const second = await publishOne(log, 'b')
      const third = await publishOne(log, 'a')
      assert.ok(0 < first && first < second && second < third)
      assert.equal(log.state().frontier, third)
    })

    fact(suite, 'links each event to the one before it in its channel', async (log) => {
      const [first, second] = await publish(log, 'a', '', '')
      await publish(log, 'b', '')
      await publish(log, 'a', '')
      const { events } = await log.read(set('a'), { after: 0 }, ALL)
      assert.deepEqual(
        events.map((event) => event.previous),
        [0, first, second],
      )
    })

    fact(suite, 'links within one batch', async (log) => {
      const { positions } = await log.append([
        { channel: 'a', data: '' },
        { channel: 'a', data: '' },
      ])
      const { events } = await log.read(set('a'), { last: 1 }, ALL)
      assert.equal(events[0]?.previous, positions[0])
    })

    fact(
      suite,
      'stamps the time of the clock, and never goes back when the clock does',
      async (log, harness) => {
        const start = harness.now
        await publish(log, 'a', '')
        await harness.advance(5)
        await publish(log, 'b', '')
        await harness.advance(-HOUR)
        await publish(log, 'a', '')
        const { events } = await log.read(set('**'), { after: 0 }, ALL)
        assert.deepEqual(
          events.map((event) => event.time),
          [start, start + 5, start + 5],
        )
      },
    )

    fact(suite, 'keeps the type, and the lack of one', async (log) => {
      await log.append([
        { channel: 'a', type: 'paid', data: '' },
        { channel: 'a', data: '' },
      ])
      const { events } = await log.read(set('a'), { after: 0 }, ALL)
      assert.equal(events[0]?.type, 'paid')
      assert.equal(Object.hasOwn(events[1] ?? {}, 'type'), false)
    })

    fact(suite, 'keeps the data as it is', async (log) => {
      const data = ['', '\n', ' \n\n', 'é 漢 🎈', '\0\uFEFF\u2028', `{"a": 1}`, 'x'.repeat(2 ** 20)]
      await log.append(data.map((text) => ({ channel: 'a', data: text })))
      assert.deepEqual(texts(await log.read(set('a'), { after: 0 }, ALL)), data)
    })

    fact(suite, 'does not mind a batch that its owner changes afterwards', async (log) => {
      const event = { channel: 'a', data: 'before' }
      await log.append([event])
      event.data = 'after'
      assert.deepEqual(texts(await log.read(set('a'), { after: 0 }, ALL)), ['before'])
    })

    fact(suite, 'of nothing resolves with no positions', async (log) => {
      await publish(log, 'a', '')
      const { frontier } = log.state()
      assert.deepEqual((await log.append([])).positions, [])
      assert.equal(log.state().frontier, frontier)
    })

    fact(suite, 'of batches at the same time mixes none of them', async (log) => {
      const batches = Array.from({ length: 20 }, (_, index) => [
        { channel: 'a', data: `${index}` },
        { channel: 'b', data: `${index}` },
        { channel: 'a', data: `${index}` },
      ])
      await Promise.all(batches.map((batch) => log.append(batch)))
      const data = texts(await log.read(set('a', 'b'), { after: 0 }, ALL))
      assert.equal(data.length, 60)
      for (let at = 0; at < 60; at += 3) assert.equal(new Set(data.slice(at, at + 3)).size, 1)
    })
  })
}

export function endFacts(suite: Suite): void {
  describe('ends', () => {
    fact(suite, 'share the position of the last event of the channel in the batch', async (log) => {
      const batch = ['a', 'b', 'a', 'b'].map((channel) => ({ channel, data: '' }))
      const { positions } = await log.append(batch, { end: ['a'] })
      const { ends, cursor } = await log.read(set('a'), { after: 0 }, ALL)
      assert.deepEqual(ends, [{ kind: 'end', channel: 'a', position: positions[2] }])
      assert.equal(cursor, positions[3])
    })

    fact(suite, 'without an event have a position of their own', async (log) => {
      const first = await publishOne(log, 'a')
      assert.deepEqual((await log.append([], { end: ['a'] })).positions, [])
      const { ends } = await log.read(set('a'), { after: 0 }, ALL)
      assert.ok((ends[0]?.position ?? 0) > first)
      assert.equal(log.state().frontier, ends[0]?.position)
    })

    fact(suite, 'can come to a channel that nobody used', async (log) => {
      await log.append([], { end: ['a'] })
      const page = await log.read(set('a'), { after: 0 }, ALL)
      assert.deepEqual(page.events, [])
      assert.equal(page.gap, undefined)
      assert.deepEqual(page.ends, [{ kind: 'end', channel: 'a', position: log.state().frontier }])
    })

    fact(suite, 'come once: ending an ended channel changes nothing', async (log) => {
      await log.append([{ channel: 'a', data: '' }], { end: ['a'] })
      const before = log.state().frontier
      await log.append([], { end: ['a', 'a'] })
      assert.equal(log.state().frontier, before)
    })

    fact(suite, 'of several channels, named more than once, come once each', async (log) => {
      await log.append([{ channel: 'b', data: '' }], { end: ['a', 'b', 'a', 'c', 'b'] })
      const { ends } = await log.read(set('a', 'b', 'c'), { after: 0 }, ALL)
      assert.deepEqual(
        ends.map((end) => end.channel),
        ['b', 'a', 'c'],
      )
      assert.equal(new Set(ends.map((end) => end.position)).size, 3)
    })

    fact(suite, 'refuse later events, and nothing of their batch is stored', async (log) => {
      await log.append([{ channel: 'a', data: '' }], { end: ['a'] })
      const before = log.state().frontier
      const batch = ['b', 'a', 'c'].map((channel) => ({ channel, data: '' }))
      await assert.rejects(log.append(batch, { end: ['d'] }), { ...refusal('channel-ended'), channel: 'a' })
      assert.equal(log.state().frontier, before)
      const page = await log.read(set('b', 'c', 'd'), { after: 0 }, ALL)
      assert.deepEqual([page.events, page.ends], [[], []])
      assert.deepEqual(
        (await log.channels(set('**'), '', 10)).map((info) => info.name),
        ['a'],
      )
    })

    fact(suite, 'of a channel read by name are in every page whose cursor is past them', async (log) => {
      await publish(log, 'a', '1', '2')
      await log.append([], { end: ['a'] })
      const late = await publishOne(log, 'b')
      const [end] = (await log.read(set('a'), { after: late }, ALL)).ends
      assert.equal(end?.channel, 'a')
      assert.deepEqual((await log.read(set('a'), { after: 0 }, { events: 1, bytes: 100 })).ends, [])
      assert.deepEqual((await log.read(set('a'), { last: 0 }, ALL)).ends, [end])
      assert.deepEqual((await log.read(set('a'), { before: late }, ALL)).ends, [end])
      assert.deepEqual((await log.read(set('a'), { before: end?.position ?? 0 }, ALL)).ends, [])
    })

    fact(suite, 'of a channel read by pattern are in the page in which they lie', async (log) => {
      const first = await publishOne(log, 'p.a')
      const { positions } = await log.append([{ channel: 'p.a', data: '' }], { end: ['p.a'] })
      const end = { kind: 'end', channel: 'p.a', position: positions[0] }
      const pattern = set('p.*')
      assert.deepEqual((await log.read(pattern, { after: first }, ALL)).ends, [end])
      assert.deepEqual((await log.read(pattern, { after: end.position ?? 0 }, ALL)).ends, [])
      assert.deepEqual((await log.read(pattern, { after: 0 }, { events: 1, bytes: 100 })).ends, [])
      assert.deepEqual((await log.read(pattern, { last: 1 }, ALL)).ends, [end])
      assert.deepEqual((await log.read(pattern, { last: 0 }, ALL)).ends, [])
      assert.deepEqual((await log.read(pattern, { before: end.position ?? 0 }, ALL)).ends, [])
      assert.deepEqual((await log.read(set('p.a', 'p.*'), { after: end.position ?? 0 }, ALL)).ends, [end])
    })

    fact(suite, 'stay when the events of the channel are trimmed', async (log, harness) => {
      await log.append([{ channel: 'a', data: '' }], { end: ['a'] })
      await harness.advance(25 * HOUR)
      const page = await log.read(set('a'), { after: 0 }, ALL)
      assert.deepEqual([page.events.length, page.ends.length], [0, 1])
    })
  })
}

export function idempotencyFacts(suite: Suite): void {
  const once = { idempotency: { key: 'k', fingerprint: 'f' } }
  const event = { channel: 'a', data: 'x' }

  describe('an idempotency key', () => {
    fact(suite, 'gives a retry the first answer, and stores nothing', async (log) => {
      const first = await log.append([event, event], once)
      await publish(log, 'a', 'y')
      assert.deepEqual(await log.append([event, event], once), { ...first, repeated: true })
      assert.deepEqual(texts(await log.read(set('a'), { after: 0 }, ALL)), ['x', 'x', 'y'])
    })

    fact(suite, 'holds for retries at the same time', async (log) => {
      const all = await Promise.all([log.append([event], once), log.append([event], once)])
      assert.deepEqual(all[0].positions, all[1].positions)
      assert.equal(all.filter((appended) => appended.repeated).length, 1)
    })

    fact(suite, 'is refused with another fingerprint', async (log) => {
      await log.append([event], once)
      const other = { idempotency: { key: 'k', fingerprint: 'g' } }
      await assert.rejects(log.append([event], other), refusal('idempotency-mismatch'))
      assert.equal((await log.read(set('a'), { after: 0 }, ALL)).events.length, 1)
    })

    fact(suite, 'holds also when the append ended its channel, or it was ended since', async (log) => {
      const first = await log.append([event], { ...once, end: ['a'] })
      assert.deepEqual(await log.append([event], { ...once, end: ['a'] }), { ...first, repeated: true })
    })

    fact(suite, 'holds also when the channel was dropped since', async (log) => {
      const first = await log.append([event], once)
      await log.drop('a')
      assert.deepEqual(await log.append([event], once), { ...first, repeated: true })
    })

    fact(suite, 'holds for an append without events', async (log) => {
      const first = await log.append([], { ...once, end: ['a'] })
      await log.drop('a')
      const { frontier } = log.state()
      assert.deepEqual(await log.append([], { ...once, end: ['a'] }), { ...first, repeated: true })
      assert.equal(log.state().frontier, frontier)
    })

    fact(suite, 'is not used up by an append that was refused', async (log) => {
      await log.append([], { end: ['a'] })
      await assert.rejects(log.append([event], once), refusal('channel-ended'))
      await log.drop('a')
      assert.equal((await log.append([event], once)).repeated, false)
    })

    fact(suite, 'is known for 24 hours, and forgotten after', async (log, harness) => {
      const first = await log.append([event], once)
      await harness.advance(24 * HOUR)
      assert.deepEqual(await log.append([event], once), { ...first, repeated: true })
      await harness.advance(1)
      const second = await log.append([event], { idempotency: { key: 'k', fingerprint: 'g' } })
      assert.equal(second.repeated, false)
      assert.notDeepEqual(second.positions, first.positions)
    })
  })
}

export function reopenFacts(suite: Suite): void {
  const skip = suite.without.reopen ?? false
  describe('a log opened again', () => {
    test('has its events, ends, gaps, keys and cursors', { skip }, async () => {
      const first = await suite.open({ retention: [{ channels: 'a', count: 2 }] })
      const once = { idempotency: { key: 'k', fingerprint: 'f' } }
      const appended = await first.log.append([{ channel: 'b', type: 't', data: '\0é' }], {
        ...once,
        end: ['b'],
      })
      await publish(first.log, 'a', '1', '2', '3')
      await publish(first.log, 'c', '')
      await first.log.drop('c')
      const whole = set('a', 'b', 'c', '**')
      const page = await first.log.read(whole, { after: 0 }, ALL)
      const state = first.log.state()
      await first.log.close()
      const second = await first.reopen?.()
      assert.ok(second)
      try {
        assert.deepEqual(await second.log.read(whole, { after: 0 }, ALL), page)
        assert.deepEqual(second.log.state(), state)
        const again = await second.log.append([{ channel: 'b', type: 't', data: '\0é' }], {
          ...once,
          end: ['b'],
        })
        assert.deepEqual(again, { ...appended, repeated: true })
        await assert.rejects(second.log.append([{ channel: 'b', data: '' }]), refusal('channel-ended'))
        const listener = new Listener(second.log)
        const [position] = await publish(second.log, 'a', '4')
        assert.ok(position !== undefined && position > state.frontier)
        await listener.upTo(position)
      } finally {
        await second.close()
      }
    })
  })
}
