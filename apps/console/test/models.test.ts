import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { agentName, findReaders, type ReaderWish } from '../src/model/reader-search.ts'
import { type Reader, Readers } from '../src/model/readers.ts'
import { History, KEPT_SAMPLES, type Vitals } from '../src/model/vitals.ts'
import { keptOf } from '../src/retention.ts'
import { age, bytes, count, milliseconds } from '../src/format.ts'

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
    assert.deepEqual(readers.of('a.b'), { sse: 2, longPoll: 1, websocket: 0 })
    assert.deepEqual(readers.of('c'), { sse: 1, longPoll: 1, websocket: 0 })
    readers.tell({ came: [], changed: [], left: [3, 2], untold: 0 })
    assert.deepEqual(readers.of('a.b'), { sse: 1, longPoll: 0, websocket: 0 })
    assert.deepEqual(readers.of('c'), { sse: 0, longPoll: 0, websocket: 0 })
  })

  test('who is not in a list that is read anew is gone, with its counts', () => {
    const readers = new Readers()
    readers.tell({ came: [reader(1, ['a']), reader(2, ['*'])], changed: [], left: [], untold: 0 })
    readers.list([reader(1, ['b'], 'websocket')], 7)
    assert.deepEqual([readers.all.map(({ id }) => id), readers.untold], [[1], 7])
    assert.deepEqual(
      [readers.of('a'), readers.of('b')].map(({ sse, websocket }) => [sse, websocket]),
      [
        [0, 0],
        [0, 1],
      ],
    )
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

describe('looking for readers', () => {
  const readers: readonly Reader[] = [
    { ...reader(1, ['orders.1']), subject: 'ann', lag: 3 },
    { ...reader(2, ['news'], 'long-poll'), address: '10.0.0.7' },
    { ...reader(3, ['news']), userAgent: 'curl/8.9.1', lag: 9 },
  ]
  const ids = (wish: Partial<ReaderWish>): readonly number[] =>
    findReaders(readers, { text: '', sort: 'id', descending: false, ...wish }).map(({ id }) => id)

  test('goes by channel, subject, address and client', () => {
    const found = ['ORDERS', 'Ann', '0.0.7', 'curl', ' news ', 'nobody'].map((text) => ids({ text }))
    assert.deepEqual(found, [[1], [1], [2], [3], [2, 3], []])
  })

  test('by transport, and in the order asked for', () => {
    assert.deepEqual(ids({ transport: 'sse' }), [1, 3])
    assert.deepEqual(ids({ sort: 'lag', descending: true }), [3, 1, 2])
    assert.deepEqual(ids({ sort: 'channels' }), [2, 3, 1])
  })

  test('clients are called by their own name, not by those that they pretend to be', () => {
    const webkit = 'Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko)'
    assert.deepEqual(
      [
        `${webkit} Chrome/140.0.0.0 Safari/537.36`,
        `${webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0`,
        'Mozilla/5.0 (iPhone) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
        'Mozilla/5.0 (X11; rv:144.0) Gecko/20100101 Firefox/144.0',
        'curl/8.9.1',
        'node',
        '',
      ].map(agentName),
      ['Chrome 140', 'Edge 140', 'Safari 18', 'Firefox 144', 'curl 8.9', 'node', ''],
    )
  })
})

test('vital signs are kept for ten minutes, and come in columns', () => {
  const history = new History()
  const vitals = (streams: number): Vitals => ({
    streams,
    webSockets: 0,
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
  assert.equal(
    history.sum(({ deliveries }) => deliveries),
    0,
  )
  // The hub was away, and tells a second again.
  const last = (KEPT_SAMPLES + 4) * 1000
  history.tell({ time: last, vitals: vitals(1) })
  history.tell({ time: last + 60_000, vitals: vitals(7) })
  const [after, values] = history.columns(({ streams: value }) => value)
  assert.deepEqual(values?.slice(-3), [KEPT_SAMPLES + 4, null, 7], 'no line is drawn over that')
  assert.equal(after?.at(-2), (last + 1) / 1000)
})

test('amounts and times in both languages', () => {
  assert.deepEqual([count(1234567, 'en'), count(2.34, 'en'), count(2.34, 'ru')], ['1,234,567', '2.3', '2,3'])
  assert.deepEqual(
    [bytes(999, 'en'), bytes(1500, 'en'), bytes(25_000_000, 'en')],
    ['999 B', '1.5 KB', '25 MB'],
  )
  assert.deepEqual([milliseconds(0.044, 'ru'), bytes(1500, 'ru')], ['0,04 мс', '1,5 КБ'])
  assert.deepEqual([milliseconds(1.26, 'en'), milliseconds(123.4, 'en')], ['1.3 ms', '123 ms'])
  assert.deepEqual([age(0, 65_000, 'en'), age(0, 400, 'en')], ['1 min. ago', 'now'])
})

test('what is kept is told by what limits it', () => {
  const words = { keptCount: (count: string) => `${count} events` }
  const day = 86_400_000
  assert.equal(keptOf({ count: 10_000, age: day, bytes: 64e6 }, 'en', words), '10,000 events, 1 day, 64 MB')
  assert.deepEqual(
    [30 * day, 90_000, 25 * 3_600_000, 250].map((age) => keptOf({ age }, 'en', words)),
    ['30 days', '90 sec', '25 hr', '0.3 sec'],
  )
  assert.equal(keptOf({}, 'en', words), '')
})
