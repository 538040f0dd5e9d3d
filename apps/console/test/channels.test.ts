/** The channels as the console knows them, and in the order that was asked for. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ChannelOrder, type ChannelWish, type SortKey } from '../src/model/channel-order.ts'
import { Channels, type ChannelRow, RATE_SECONDS } from '../src/model/channels.ts'

const row = (name: string, more: Partial<ChannelRow> = {}): ChannelRow => ({
  name,
  events: 1,
  bytes: 1,
  head: 'e-1',
  ended: false,
  ...more,
})
const told = (rows: readonly ChannelRow[], gone: readonly string[] = []) => ({ rows, gone, untold: 0 })
const SECOND = 1_000

describe('the channels', () => {
  test('what was told before the list is older than it, what was told after it is newer', () => {
    const channels = new Channels()
    channels.begin()
    channels.tell(told([row('before', { events: 7 })], ['erased before']), 'e-1', SECOND)
    channels.tell(told([row('after', { events: 7 }), row('new')], ['erased after']), 'e-3', SECOND)
    const isNewer = (cursor: string): boolean => cursor > 'e-2'
    const names = ['before', 'after', 'erased before', 'erased after']
    channels.list(
      names.map((name) => row(name, { events: 3 })),
      isNewer,
    )
    channels.complete(isNewer)
    assert.deepEqual(
      Array.from(channels.all, ({ name, events }) => [name, events]),
      [
        ['before', 3],
        ['after', 7],
        ['new', 1],
        ['erased before', 3],
      ],
    )
  })

  test('those that a list does not have any more are gone', () => {
    const channels = new Channels()
    channels.list([row('a'), row('b')], () => false)
    channels.begin()
    channels.list([row('b')], () => false)
    assert.equal(channels.size, 2, 'until it has been read to its end')
    channels.complete(() => false)
    assert.deepEqual(
      Array.from(channels.all, ({ name }) => name),
      ['b'],
    )
  })

  test('rates are of the last minute, second by second, whenever they were told', () => {
    const channels = new Channels()
    const came = (count: number, time: number): void =>
      channels.tell(told([row('a', { came: count })]), 'e-1', time)
    came(9, 30 * SECOND)
    came(2, 99.1 * SECOND)
    came(1, 99.9 * SECOND)
    came(5, 100 * SECOND)
    channels.tick(100 * SECOND)
    assert.deepEqual(channels.rates('a').slice(-3), [0, 3, 5])
    assert.equal(channels.rate('a'), 0.8)
    channels.tick((100 + RATE_SECONDS) * SECOND)
    assert.ok(channels.rates('a').every((rate) => rate === 0))
  })
})

describe('the order of the channels', () => {
  const wish = (more: Partial<ChannelWish>): ChannelWish => ({
    text: '',
    sort: 'name',
    descending: false,
    ...more,
  })

  test('they are found by a part of their name, and come in the order asked for', () => {
    const channels = new Channels()
    channels.list(
      [row('orders.1', { events: 3 }), row('news', { events: 9 }), row('Orders.2', { events: 5 })],
      () => false,
    )
    const order = new ChannelOrder(channels, (name) => (name === 'orders.1' ? 4 : 0))
    const names = (more: Partial<ChannelWish>) =>
      order
        .find(wish(more))
        .slice(0)
        .map(({ name }) => name)
    assert.deepEqual(names({ text: 'orders' }), ['Orders.2', 'orders.1'])
    assert.deepEqual(names({ sort: 'events', descending: true }), ['news', 'Orders.2', 'orders.1'])
    assert.deepEqual(names({ sort: 'readers', descending: true }), ['orders.1', 'Orders.2', 'news'])
  })

  test('however they change, it is as if they were sorted anew', () => {
    const sort = fc.constantFrom<SortKey>('name', 'events', 'rate', 'readers', 'newest')
    const step = fc.record({
      rows: fc.array(
        fc.record({
          name: fc.constantFrom('a', 'b', 'c', 'd.a', 'd.b'),
          events: fc.nat(3),
          came: fc.nat(3),
          time: fc.nat(3),
        }),
      ),
      gone: fc.subarray(['a', 'b', 'd.a']),
      readers: fc.nat(2),
      seconds: fc.constantFrom(1, 1, 5, 70),
      sort,
      text: fc.constantFrom('', 'd'),
      descending: fc.boolean(),
      look: fc.boolean(),
    })
    const property = fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const channels = new Channels()
      let readers = 0
      const readersOf = (name: string): number => (name.length * readers) % 3
      const order = new ChannelOrder(channels, readersOf)
      let second = 100
      let asked = wish({})
      for (const { rows, gone, look, ...rest } of steps) {
        readers = rest.readers
        const all = rows.map(({ name, time, ...more }) =>
          row(name, { ...more, newestTime: new Date(time).toISOString() }),
        )
        second += rest.seconds
        channels.tick(second * SECOND)
        channels.tell(told(all, gone), 'e-1', second * SECOND)
        if (look) asked = { text: rest.text, sort: rest.sort, descending: rest.descending }
        const key = (one: ChannelRow): number =>
          ({
            name: 0,
            events: one.events,
            rate: channels.rate(one.name),
            readers: readersOf(one.name),
            newest: Date.parse(one.newestTime ?? ''),
            oldest: 0,
            bytes: 0,
          })[asked.sort]
        const naive = Array.from(channels.all)
          .filter(({ name }) => name.includes(asked.text))
          .sort((one, other) => {
            const byKey = (key(one) - key(other)) * (asked.descending ? -1 : 1)
            const byName = one.name < other.name ? -1 : 1
            return byKey || (asked.sort === 'name' && asked.descending ? -byName : byName)
          })
        const found = order.find(asked)
        assert.deepEqual(found.slice(0), naive)
        assert.equal(found.length, naive.length)
        assert.deepEqual(found.slice(1, 3), naive.slice(1, 3))
      }
    })
    fc.assert(property, { numRuns: 300 })
  })
})
