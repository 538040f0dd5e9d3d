import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { ALL, HOUR, Listener, fact, publish, publishOne, refusal, set, type Suite } from './harness.ts'

export function tailFacts(suite: Suite): void {
  describe('tail', () => {
    fact(suite, 'tells every record of what is followed, in the order of positions', async (log) => {
      const listener = new Listener(log)
      await listener.tail.follow(set('**'))
      await log.append(
        ['a', 'b', 'a', 'c'].map((channel) => ({ channel, type: 't', data: channel })),
        { end: ['d', 'a'] },
      )
      await log.drop('b')
      await publish(log, 'b', '')
      await listener.upTo(log.state().frontier)
      assert.deepEqual(
        listener.records.map((record) => `${record.kind} ${record.channel}`),
        ['event a', 'event b', 'event a', 'end a', 'event c', 'end d', 'drop b', 'event b'],
      )
      const positions = listener.records.map((record) => record.position)
      assert.deepEqual(
        positions,
        positions.toSorted((one, other) => one - other),
      )
      assert.equal(positions[2], positions[3])
      assert.equal(new Set(positions).size, positions.length - 1)
    })

    fact(suite, 'tells events as a read has them, with the epoch and the frontier', async (log) => {
      const listener = new Listener(log)
      await listener.tail.follow(set('a'))
      await publish(log, 'a', '1', '2')
      await listener.upTo(log.state().frontier)
      const { events } = await log.read(set('a'), { after: 0 }, ALL)
      assert.deepEqual(listener.records, events)
      assert.ok(listener.batches.every((batch) => batch.epoch === log.state().epochs[0].name))
      assert.equal(listener.frontier, log.state().frontier)
    })

    fact(suite, 'begins at the frontier of the moment', async (log) => {
      await publish(log, 'a', 'old')
      const listener = new Listener(log)
      await listener.tail.follow(set('a'))
      const position = await publishOne(log, 'a', 'new')
      await listener.upTo(position)
      assert.deepEqual(
        listener.records.map((record) => record.position),
        [position],
      )
    })

    fact(suite, 'never tells of a position that `state` and `read` do not know yet', async (log) => {
      const told: boolean[] = []
      const reads: Promise<boolean>[] = []
      const all = set('**')
      const tail = log.tail({
        batch: ({ frontier, records }) => {
          told.push(log.state().frontier >= frontier)
          // In a microtask, since a listener must not call back at once.
          const read = Promise.resolve().then(() => log.read(all, { last: 100 }, ALL))
          reads.push(
            read.then(({ events }) =>
              records.every((record) => events.some((event) => event.position === record.position)),
            ),
          )
        },
        lost: () => {},
      })
      await tail.follow(all)
      const listener = new Listener(log)
      await listener.tail.follow(all)
      await publish(log, 'a', '1', '2', '3')
      await listener.upTo(log.state().frontier)
      assert.deepEqual(
        [...told, ...(await Promise.all(reads))],
        Array.from({ length: 6 }, () => true),
      )
    })

    fact(suite, 'leaves nothing out between a follow and a read', async (log) => {
      const listener = new Listener(log)
      const appends = Array.from({ length: 30 }, (_, index) =>
        log.append([{ channel: 'a', data: `${index}` }]),
      )
      await listener.tail.follow(set('a'))
      const page = await log.read(set('a'), { after: 0 }, ALL)
      await Promise.all(appends)
      await publish(log, 'a', 'last')
      await listener.upTo(log.state().frontier)
      const told = listener.records.filter((record) => record.position > page.cursor)
      const seen = [...page.events, ...told].map((record) => record.position)
      const kept = (await log.read(set('a'), { after: 0 }, ALL)).events.map((event) => event.position)
      assert.deepEqual(seen, kept)
    })

    fact(suite, 'goes on with a set that was followed twice and unfollowed once', async (log) => {
      const listener = new Listener(log)
      await listener.tail.follow(set('a', 'p.*'))
      await listener.tail.follow(set('a', 'p.*'))
      listener.tail.unfollow(set('a', 'p.*'))
      const position = await publishOne(log, 'p.x')
      await listener.upTo(position)
      assert.equal(listener.records.length, 1)
    })

    fact(suite, 'moves the frontier also for records that are not told', async (log) => {
      const listener = new Listener(log)
      await listener.tail.follow(set('a'))
      const position = await publishOne(log, 'b')
      await listener.upTo(position)
      assert.equal(listener.frontier, position)
    })

    fact(suite, 'tells each of several tails, and a closed one nothing', async (log) => {
      const [closed, open] = [new Listener(log), new Listener(log)]
      await Promise.all([closed.tail.follow(set('a')), open.tail.follow(set('a'))])
      closed.tail.close()
      closed.tail.close()
      await open.upTo(await publishOne(log, 'a'))
      assert.deepEqual([closed.batches.length, open.records.length], [0, 1])
    })

    fact(suite, 'tells nothing of what was repeated or refused', async (log) => {
      const once = { idempotency: { key: 'k', fingerprint: 'f' } }
      await log.append([{ channel: 'a', data: '' }], once)
      await log.append([], { end: ['b'] })
      const listener = new Listener(log)
      await listener.tail.follow(set('**'))
      await log.append([{ channel: 'a', data: '' }], once)
      await assert.rejects(log.append([{ channel: 'b', data: '' }]), refusal('channel-ended'))
      await log.append([], { end: ['b'] })
      await listener.upTo(await publishOne(log, 'c'))
      assert.deepEqual(
        listener.records.map((record) => record.channel),
        ['c'],
      )
    })

    const errors: unknown[] = []
    fact(
      suite,
      'survives a listener that throws: the append is good, and the others are told',
      async (log) => {
        const thrown = new Error('from a listener')
        const bad = log.tail({
          batch: () => {
            throw thrown
          },
          lost: () => {},
        })
        const listener = new Listener(log)
        await Promise.all([bad.follow(set('a')), listener.tail.follow(set('a'))])
        const position = await publishOne(log, 'a')
        await listener.upTo(position)
        assert.equal(listener.records.length, 1)
        assert.deepEqual(errors, [thrown])
      },
      { reportError: (error) => errors.push(error) },
    )
  })
}

export function channelFacts(suite: Suite): void {
  describe('channels', () => {
    fact(suite, 'lists names in the order of UTF-16 units, page by page', async (log) => {
      const names = ['b', 'a', 'a.b', 'a-b', 'B', '_', '~', 'a:b', '1', 'aa']
      for (const name of names) await publish(log, name, '')
      const listed: string[] = []
      for (let after = ''; ; after = listed.at(-1) ?? '') {
        const page = await log.channels(set('**'), after, 3)
        if (page.length === 0) break
        assert.ok(page.length <= 3)
        listed.push(...page.map((info) => info.name))
      }
      assert.deepEqual(listed, names.toSorted())
    })

    fact(suite, 'lists those that the set has, also new ones', async (log) => {
      for (const name of ['p.b', 'a', 'p.a', 'q']) await publish(log, name, '')
      const listed = async (...parts: string[]): Promise<string[]> =>
        (await log.channels(set(...parts), '', 10)).map((info) => info.name)
      assert.deepEqual(await listed('p.*', 'q'), ['p.a', 'p.b', 'q'])
      assert.deepEqual(await listed('q', 'a', 'nobody'), ['a', 'q'])
      await publish(log, 'p.aa', '')
      assert.deepEqual(await listed('p.*'), ['p.a', 'p.aa', 'p.b'])
    })

    fact(
      suite,
      'says what is kept of each',
      async (log, harness) => {
        const [, , third] = await publish(log, 'a', 'é', '', '漢字', 'xyz')
        const { positions } = await log.append([{ channel: 'a', data: '' }], { end: ['a'] })
        await log.append([], { end: ['b'] })
        const [head] = positions
        const [a, b] = await log.channels(set('**'), '', 10)
        const { events } = await log.read(set('a'), { last: 3 }, { events: 3, bytes: 1_000 })
        const times = { oldestTime: events[0]?.time, newestTime: events[2]?.time }
        assert.deepEqual(a, { name: 'a', head, oldest: third, ...times, events: 3, bytes: 5, ended: true })
        assert.deepEqual(b, { name: 'b', head: 0, events: 0, bytes: 0, ended: true })
        await harness.advance(25 * HOUR)
        assert.deepEqual((await log.channels(set('a'), '', 1))[0], {
          name: 'a',
          head,
          events: 0,
          bytes: 0,
          ended: true,
        })
        await log.drop('a')
        assert.deepEqual((await log.channels(set('a'), '', 1))[0], {
          name: 'a',
          head,
          events: 0,
          bytes: 0,
          ended: false,
        })
      },
      { retention: [{ channels: 'a', count: 3 }] },
    )
  })
}

export function lifeFacts(suite: Suite): void {
  describe('a log', () => {
    fact(suite, 'begins with one epoch, at the start, in good health', async (log) => {
      const { epochs, frontier } = log.state()
      assert.equal(epochs.length, 1)
      assert.match(epochs[0].name, /^[A-Za-z0-9]{1,32}$/)
      assert.equal(epochs[0].parent, undefined)
      assert.equal(frontier, 0)
      assert.deepEqual(await log.health(), { ok: true })
    })

    fact(suite, 'has another epoch than any other log', async (log) => {
      const other = await suite.open({})
      try {
        assert.notEqual(other.log.state().epochs[0].name, log.state().epochs[0].name)
      } finally {
        await other.close()
      }
    })

    fact(suite, 'that is closed refuses everything but `close` and `state`', async (log) => {
      const position = await publishOne(log, 'a')
      await Promise.all([log.close(), log.close()])
      await log.close()
      const closed = refusal('log-closed')
      await assert.rejects(log.append([{ channel: 'a', data: '' }]), closed)
      await assert.rejects(log.read(set('a'), { after: 0 }, ALL), closed)
      await assert.rejects(log.channels(set('a'), '', 1), closed)
      await assert.rejects(log.drop('a'), closed)
      await assert.rejects(log.health(), closed)
      assert.throws(() => log.tail({ batch: () => {}, lost: () => {} }), closed)
      assert.equal(log.state().frontier, position)
    })
  })
}
