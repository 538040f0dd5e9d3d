import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Channels, RATE_SECONDS } from '../src/model/channels.ts'
import { type Reader, Readers } from '../src/model/readers.ts'
import { History, KEPT_SAMPLES, type Vitals } from '../src/model/vitals.ts'
import { age, bytes, count, milliseconds } from '../src/format.ts'

const row = (name: string, more: object = {}) => ({
  name,
  events: 1,
  bytes: 1,
  head: 'e-1',
  ended: false,
  ...more,
})
const told = (rows: readonly ReturnType<typeof row>[], gone: readonly string[] = []) => ({
  rows,
  gone,
  untold: 0,
})

describe('the channels', () => {
  test('what was told after the list was asked for is newer than the list', () => {
    const channels = new Channels()
    channels.tell(told([row('a', { events: 7 })]))
    channels.list([row('a', { events: 3 }), row('b')])
    assert.equal(channels.get('a')?.events, 7)
    assert.equal(channels.size, 2)
    channels.tell(told([], ['a']))
    assert.equal(channels.get('a'), undefined)
  })

  test('rates are of the last minute, second by second', () => {
    const channels = new Channels()
    channels.tell(told([row('a', { came: 2 })]))
    channels.tell(told([row('a', { came: 1 })]))
    channels.tick()
    channels.tell(told([row('a', { came: 5 })]))
    assert.deepEqual(channels.rates('a').slice(-3), [0, 3, 5])
    assert.equal(channels.rate('a'), 0.8)
    for (let second = 0; second < RATE_SECONDS; second++) channels.tick()
    assert.ok(channels.rates('a').every((rate) => rate === 0))
  })

  test('are found by a part of their name, and come in the order asked for', () => {
    const channels = new Channels()
    channels.list([
      row('orders.1', { events: 3 }),
      row('news', { events: 9 }),
      row('Orders.2', { events: 5 }),
    ])
    const names = (...find: Parameters<Channels['find']>) => channels.find(...find).map(({ name }) => name)
    assert.deepEqual(names('orders', 'name', false), ['Orders.2', 'orders.1'])
    assert.deepEqual(names('', 'events', true), ['news', 'Orders.2', 'orders.1'])
    assert.deepEqual(
      names('', 'readers', true, (name) => (name === 'orders.1' ? 4 : 0)),
      ['orders.1', 'Orders.2', 'news'],
    )
  })
})

const reader = (id: number, channels: readonly string[], transport: Reader['transport'] = 'sse'): Reader => ({
  id,
  subject: '',
  transport,
  channels,
  position: 'e-1',
  lag: 0,
})

describe('the readers', () => {
  test('are counted by channel, whether they read it by name or by pattern', () => {
    const readers = new Readers()
    readers.tell({
      came: [reader(1, ['a.b']), reader(2, ['a.*', 'c'], 'long-poll'), reader(3, ['**'])],
      changed: [],
      left: [],
      untold: 0,
    })
    assert.deepEqual(readers.of('a.b'), { sse: 2, longPoll: 1 })
    assert.deepEqual(readers.of('c'), { sse: 1, longPoll: 1 })
    readers.tell({ came: [], changed: [], left: [3, 2], untold: 0 })
    assert.deepEqual(readers.of('a.b'), { sse: 1, longPoll: 0 })
    assert.deepEqual(readers.of('c'), { sse: 0, longPoll: 0 })
  })

  test('one that is slow is told so until it is not', () => {
    const readers = new Readers()
    readers.tell({ came: [reader(1, ['a'])], changed: [], left: [], untold: 0 })
    const slow = { id: 1, position: 'e-2', lag: 7, slowSince: 5, bytesWaiting: 9 }
    readers.tell({ came: [], changed: [slow], left: [], untold: 0 })
    assert.deepEqual(readers.all, [{ ...reader(1, ['a']), ...slow }])
    readers.tell({ came: [], changed: [{ id: 1, position: 'e-3', lag: 0 }], left: [], untold: 0 })
    assert.deepEqual(readers.all, [{ ...reader(1, ['a']), position: 'e-3' }])
  })

  test('whatever comes and goes, the counts are those of a naive look', () => {
    const step = fc.record({
      id: fc.nat(5),
      parts: fc.subarray(['a', 'b', '*', 'a.*'], { minLength: 1 }),
      come: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const readers = new Readers()
        for (const { id, parts, come } of steps) {
          const change = come ? { came: [reader(id, parts)], left: [] } : { came: [], left: [id] }
          readers.tell({ ...change, changed: [], untold: 0 })
        }
        const naive = readers.all.filter(({ channels }) => channels.some((part) => part === 'a')).length
        const star = readers.all.filter(({ channels }) => channels.includes('*')).length
        assert.equal(readers.of('a').sse, naive + star)
      }),
    )
  })
})

test('vital signs are kept for ten minutes, and come in columns', () => {
  const history = new History()
  const vitals = (streams: number): Vitals => ({
    streams,
    longPolls: 0,
    slow: 0,
    frontier: 0,
    rss: 0,
    heap: 0,
    loopDelay: { p50: 0, p99: 0, max: 0 },
    log: { ok: true },
    publishes: 0,
    events: 0,
    deliveries: 0,
    writes: 0,
    filled: 0,
    gaps: 0,
    sizes: [1, 2],
    cpu: 0,
  })
  for (let second = 0; second < KEPT_SAMPLES + 5; second++)
    history.tell({ time: second * 1000, vitals: vitals(second) })
  const [times, streams, none] = history.columns(
    ({ streams: value }) => value,
    ({ publishTime }) => publishTime?.p99,
  )
  assert.deepEqual(
    [times?.length, times?.[0], streams?.at(-1), none?.[0]],
    [KEPT_SAMPLES, 5, KEPT_SAMPLES + 4, null],
  )
  assert.deepEqual(history.sizes(), [KEPT_SAMPLES, 2 * KEPT_SAMPLES])
})

test('amounts and times in both languages', () => {
  assert.deepEqual([count(1234567, 'en'), count(2.34, 'en'), count(2.34, 'ru')], ['1,234,567', '2.3', '2,3'])
  assert.deepEqual(
    [bytes(999, 'en'), bytes(1500, 'en'), bytes(25_000_000, 'en')],
    ['999 B', '1.5 KB', '25 MB'],
  )
  assert.deepEqual([milliseconds(1.26, 'en'), milliseconds(123.4, 'en')], ['1.3 ms', '123 ms'])
  assert.deepEqual([age(0, 65_000, 'en'), age(0, 400, 'en')], ['1 min. ago', '0 sec. ago'])
})
