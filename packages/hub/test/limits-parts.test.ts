/** The parts that count and limit, on a clock of the test's own. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Seats } from '../src/delivery/seats.ts'
import { HubError } from '../src/errors.ts'
import { Limiter } from '../src/limits/limiter.ts'
import { both, FreePlaces } from '../src/http/places.ts'
import { netOf } from '../src/limits/net-of.ts'
import { TokenBuckets } from '../src/limits/token-buckets.ts'
import { SimulatedClock } from './simulation/clock.ts'

describe('a token bucket', () => {
  test('gives a burst at once, then its rate', () => {
    const buckets = new TokenBuckets(2_000)
    for (let n = 0; n < 20; n++) {
      assert.equal(buckets.wait('a', 1, 10, 1000), 0)
      buckets.take('a', 1, 10, 1000)
    }
    assert.equal(buckets.wait('a', 1, 10, 1000), 100)
    assert.equal(buckets.wait('a', 5, 10, 1000), 500)
    assert.equal(buckets.wait('a', 1, 10, 1100), 0)
    assert.equal(buckets.wait('b', 20, 10, 1000), 0)
  })

  test('holds one token at least', () => {
    const buckets = new TokenBuckets(2_000)
    assert.equal(buckets.wait('a', 1, 0.1, 0), 0)
    buckets.take('a', 1, 0.1, 0)
    assert.equal(buckets.wait('a', 1, 0.1, 4_000), 6_000)
  })

  test('gives more than a burst when it is full, and then nothing until that is paid back', () => {
    const buckets = new TokenBuckets(2_000)
    buckets.take('a', 1, 10, 0)
    assert.equal(buckets.wait('a', 1_000, 10, 0), 100)
    assert.equal(buckets.wait('a', 1_000, 10, 100), 0)
    buckets.take('a', 1_000, 10, 100)
    assert.equal(buckets.wait('a', 1, 10, 100), 100_000 - 1_900)
  })

  test('gives nothing at a rate of 0, and all without a limit', () => {
    const buckets = new TokenBuckets(2_000)
    assert.equal(buckets.wait('a', 1, 0, 0), Infinity)
    assert.equal(buckets.wait('a', 1e9, Infinity, 0), 0)
    buckets.take('a', 1e9, Infinity, 0)
    assert.equal(buckets.size, 0)
  })

  test('gives never more than its rate, a burst and one amount beyond it, and what it says to wait is enough and no more', () => {
    const step = fc.record({ after: fc.nat(3_000), tokens: fc.integer({ min: 1, max: 60 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0.5, 3, 10), (steps, rate) => {
        const buckets = new TokenBuckets(2_000)
        const burst = Math.max(1, 2 * rate)
        let now = 0
        let taken = 0
        let last = 0
        for (const { after, tokens } of steps) {
          now += after
          const wait = buckets.wait('a', tokens, rate, now)
          if (wait > 0) {
            now += wait * 0.99
            assert.ok(buckets.wait('a', tokens, rate, now) > 0)
            now += wait * 0.01 + 1e-6
            assert.equal(buckets.wait('a', tokens, rate, now), 0)
          }
          buckets.take('a', tokens, rate, now)
          taken += tokens
          last = tokens
          assert.ok(taken <= burst + (now / 1000) * rate + Math.max(0, last - burst) + 1e-6)
        }
      }),
    )
  })

  test('is forgotten when it is full', () => {
    const buckets = new TokenBuckets(2_000)
    buckets.take('a', 1, 10, 0)
    buckets.take('b', 10, 10, 0)
    buckets.sweep(99)
    assert.equal(buckets.size, 2)
    buckets.sweep(100)
    assert.equal(buckets.size, 1)
    buckets.sweep(1_000)
    assert.equal(buckets.size, 0)
  })

  test('of a flood of keys only so many are kept', () => {
    const buckets = new TokenBuckets(2_000, 100)
    for (let n = 0; n < 1_000; n++) buckets.take(`${n}`, 100, 1, n)
    assert.equal(buckets.size, 100)
    assert.equal(buckets.wait('0', 1, 1, 1_000), 0)
    assert.ok(buckets.wait('999', 1, 1, 1_000) > 0)
  })

  test('is full when the clock was put back, not empty until it has caught up', () => {
    const buckets = new TokenBuckets(2_000)
    buckets.take('a', 1_000, 10, 3_600_000)
    assert.equal(buckets.wait('a', 1, 10, 0), 0)
  })
})

describe('the limiter', () => {
  const rates = { publishesPerSubject: 10, publishesPerChannel: 5, ticketsPerSubject: 1 }
  const refused = (act: () => void): { limited: string | undefined; waitMs: number | undefined } => {
    try {
      act()
    } catch (error) {
      assert.ok(error instanceof HubError && error.code === 'too-fast')
      return { limited: error.limited, waitMs: error.waitMs }
    }
    assert.fail('Nothing was refused')
  }

  test('counts publications times channels for a subject, publications for each channel', () => {
    const limiter = new Limiter(new SimulatedClock(), rates)
    const ann = { subject: 'ann' }
    limiter.publish(ann, ['a', 'b'], 10)
    assert.deepEqual(
      refused(() => limiter.publish(ann, ['c'], 1)),
      {
        limited: 'publishes-per-subject',
        waitMs: 100,
      },
    )
    const bob = { subject: 'bob' }
    assert.deepEqual(
      refused(() => limiter.publish(bob, ['c', 'a'], 1)),
      {
        limited: 'publishes-per-channel',
        waitMs: 200,
      },
    )
  })

  test('takes nothing of what it refuses', async () => {
    const clock = new SimulatedClock()
    const limiter = new Limiter(clock, rates)
    const bob = { subject: 'bob' }
    limiter.publish(bob, ['a'], 10)
    for (let n = 0; n < 10; n++) refused(() => limiter.publish(bob, ['b', 'a'], 1))
    limiter.publish(bob, ['b'], 10)
    await clock.run(200)
    limiter.publish({ subject: 'ann' }, ['a'], 1)
  })

  test('who is nobody is held by the address, one /64 of IPv6 as one; a subject of that name is another', () => {
    const limiter = new Limiter(new SimulatedClock(), rates)
    limiter.publish({ subject: '', address: '2001:db8::1' }, ['a', 'b'], 10)
    refused(() => limiter.publish({ subject: '', address: '2001:db8::2' }, ['c'], 1))
    limiter.publish({ subject: '', address: '2001:db8:0:1::1' }, ['c'], 1)
    limiter.publish({ subject: '2001:db8:0:0::/64' }, ['c'], 1)
  })

  test('a grant’s rate goes before the hub’s', () => {
    const limiter = new Limiter(new SimulatedClock(), { ...rates, publishesPerChannel: Infinity })
    limiter.publish({ subject: 'ann', limits: { publishes: 1_000 } }, ['a'], 1_000)
    limiter.publish({ subject: 'ann', limits: { publishes: 1_000 } }, ['a'], 1_000)
    assert.throws(() => limiter.publish({ subject: 'ann', limits: { publishes: 0 } }, ['a'], 1), {
      code: 'forbidden',
      limited: 'publishes-per-subject',
    })
  })

  test('gives tickets at their rate', async () => {
    const clock = new SimulatedClock()
    const limiter = new Limiter(clock, rates)
    limiter.ticket({ subject: 'ann' })
    limiter.ticket({ subject: 'ann' })
    assert.deepEqual(
      refused(() => limiter.ticket({ subject: 'ann' })),
      {
        limited: 'tickets-per-subject',
        waitMs: 1_000,
      },
    )
    await clock.run(1_000)
    limiter.ticket({ subject: 'ann' })
  })

  test('forgets who has been quiet, and then has no timer', async () => {
    const clock = new SimulatedClock()
    const limiter = new Limiter(clock, rates)
    for (let n = 0; n < 1_000; n++) limiter.publish({ subject: `s${n}` }, [`c${n}`], 1)
    assert.equal(limiter.size, 2_000)
    assert.equal(clock.timers, 1)
    await clock.run(5_000)
    assert.deepEqual([limiter.size, clock.timers], [0, 0])
  })
})

describe('an address', () => {
  for (const [address, net] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0DB8:0000:0000:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unix', 'unix'],
  ] as const) {
    test(`${address} counts as ${net}`, () => assert.equal(netOf(address), net))
  }
})

describe('seats', () => {
  const most = { readers: 100, streamsPerSubject: 2, streamsPerAddress: 3 }

  test('are taken by subject and by address, and nothing is kept of who has left', () => {
    const seats = new Seats()
    const ann = { subject: 'ann', address: '192.0.2.1' }
    for (let n = 0; n < 2; n++) seats.take(ann)
    assert.deepEqual(seats.full(ann, most), { of: 'subject', limit: 2 })
    assert.equal(seats.full({ subject: 'bob', address: '192.0.2.1' }, most), undefined)
    seats.take({ subject: '', address: '192.0.2.1' })
    assert.deepEqual(seats.full({ subject: 'bob', address: '192.0.2.1' }, most), { of: 'address', limit: 3 })
    seats.leave({ subject: '', address: '192.0.2.1' })
    for (let n = 0; n < 2; n++) seats.leave(ann)
    assert.deepEqual([seats.taken, seats.holders], [0, { subjects: 0, addresses: 0 }])
  })

  test('of a grant that says how many are those, whatever the address', () => {
    const seats = new Seats()
    const service = { subject: 'service', address: '192.0.2.1', limits: { streams: 4 } }
    for (let n = 0; n < 4; n++) {
      assert.equal(seats.full(service, most), undefined)
      seats.take(service)
    }
    assert.deepEqual(seats.full(service, most), { of: 'subject', limit: 4 })
    assert.deepEqual(seats.full({ subject: 'bob', limits: { streams: 0 } }, most), {
      of: 'subject',
      limit: 0,
    })
  })

  test('of the hub itself are counted, and have no limit but that of all', () => {
    const seats = new Seats()
    for (let n = 0; n < 100; n++) {
      assert.equal(seats.full({ subject: '' }, most), undefined)
      seats.take({ subject: '' })
    }
    assert.deepEqual(seats.full({ subject: '' }, most), { of: 'hub', limit: 100 })
  })
})

describe('places', () => {
  test('are as many as there are; who waits comes in order, when one has left', () => {
    let waits = 0
    const places = new FreePlaces(2, () => waits++)
    const come: number[] = []
    const leave = [0, 1, 2, 3].map((n) => places.take(() => come.push(n)))
    assert.deepEqual([come, waits], [[0, 1], 2])
    leave[0]?.()
    leave[0]?.()
    assert.deepEqual(come, [0, 1, 2])
    leave[3]?.()
    leave[1]?.()
    leave[2]?.()
    for (const n of [4, 5, 6]) places.take(() => come.push(n))
    assert.deepEqual(come, [0, 1, 2, 4, 5])
  })

  test('of two kinds are given up together', () => {
    const [own, all] = [new FreePlaces(1), new FreePlaces(1)]
    const come: string[] = []
    const places = both(own, all)
    const first = places.take(() => come.push('first'))
    const second = places.take(() => come.push('second'))
    const other = all.take(() => come.push('other'))
    first()
    assert.deepEqual(come, ['first', 'other'])
    second()
    other()
    places.take(() => come.push('third'))
    assert.deepEqual(come, ['first', 'other', 'third'])
  })
})
