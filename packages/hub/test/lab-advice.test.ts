import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { advise } from '../src/lab/advice.ts'
import type { AdviceOptions } from '../src/lab/advice-data.ts'
import { ENGLISH } from '../src/lab/advice-words.ts'
import { atRate, bytesPerMinute, requestsPerMinute, unitCosts } from '../src/lab/costs.ts'
import { crossingsOf } from '../src/lab/crossings.ts'
import { ENGLISH_UNITS, figures } from '../src/lab/figures.ts'
import {
  DELAY_BOUNDS,
  type Delays,
  type LabReport,
  type LabSettings,
  TECHNIQUES,
  type Technique,
  type TechniqueReport,
} from '../src/lab/report.ts'

const SETTINGS: LabSettings = {
  techniques: TECHNIQUES,
  events: { rate: 1, shape: 'steady', size: 200 },
  clients: 10,
  pollEvery: 5_000,
  network: { delay: 0, buffering: false, cutAfter: 0 },
  seconds: 60,
  cpu: true,
}

const delays = (p50: number, p99 = 2 * p50, count = 600): Delays => ({
  count,
  counts: DELAY_BOUNDS.map(() => 0),
  p50,
  p99,
  max: p99,
})

/** What costs so much in a browser, roughly. */
const UNITS: Readonly<Record<Technique, { readonly request: number; readonly overhead: number }>> = {
  poll: { request: 900, overhead: 160 },
  'long-poll': { request: 950, overhead: 170 },
  sse: { request: 1200, overhead: 45 },
  websocket: { request: 1100, overhead: 190 },
}

interface World {
  readonly settings?: Partial<LabSettings>
  readonly rate?: number
  readonly changes?: Partial<Record<Technique, Partial<TechniqueReport>>>
}

/** A run as it comes out when each request and event costs what `UNITS` says. */
function run({ settings: changed, rate, changes = {} }: World = {}): LabReport {
  const settings = { ...SETTINGS, ...changed }
  if (rate !== undefined) Object.assign(settings, { events: { ...settings.events, rate } })
  const published = Math.round(settings.events.rate * settings.seconds)
  const techniques = Object.fromEntries(
    settings.techniques.map((technique) => {
      const { request, overhead } = UNITS[technique]
      const requests = Math.ceil(
        (requestsPerMinute(technique, settings) * settings.seconds * settings.clients) / 60,
      )
      const received = published * settings.clients
      const report: TechniqueReport = {
        requests,
        empty: technique === 'poll' ? Math.max(0, requests - received) : 0,
        refused: 0,
        connections: settings.clients,
        mostConnections: settings.clients,
        bytesIn: { head: (requests * request) / 2, body: 0 },
        bytesOut: { head: (requests * request) / 2, body: received * (settings.events.size + overhead) },
        crowd: {
          clients: settings.clients,
          received,
          missed: 0,
          twice: 0,
          delays:
            technique === 'poll'
              ? delays(settings.pollEvery / 2, settings.pollEvery)
              : delays(3 + settings.network.delay),
        },
        ...changes[technique],
      }
      return [technique, report]
    }),
  )
  return {
    id: 'r1',
    channel: 'lab.r1',
    state: 'done',
    settings,
    started: 0,
    elapsed: settings.seconds * 1000,
    published,
    late: { events: 0, crowd: 0 },
    techniques,
  }
}

const crowd = (report: LabReport, technique: Technique, change: Partial<TechniqueReport['crowd']>) => ({
  crowd: { ...(report.techniques[technique] as TechniqueReport).crowd, ...change },
})
const codes = (all: readonly { readonly code: string }[]): readonly string[] => all.map(({ code }) => code)
const sayAll = (report: LabReport, options?: AdviceOptions): readonly string[] => {
  const { choice, ties, reasons, against, crossings, unknowns } = advise(report, options)
  return [
    choice ? ENGLISH.choice(choice, ties) : ENGLISH.noChoice,
    ...reasons.map((one) => ENGLISH.reason(one)),
    ...against.map((one) => ENGLISH.caveat(one)),
    ...crossings.map((one) => ENGLISH.crossing(one)),
    ...unknowns.map((one) => ENGLISH.unknown(one)),
  ].map((text) => text.replaceAll('\u00A0', ' '))
}

describe('the recommendation', () => {
  test('is SSE where events come often and have to be shown soon', () => {
    const { choice, reasons } = advise(run())
    assert.equal(choice, 'sse')
    assert.deepEqual(codes(reasons).slice(0, 2), ['in-time', 'poll-late'])
  })

  test('is polling where a delay is allowed and asking rarely costs little more than a stream', () => {
    const report = run({ settings: { pollEvery: 60_000 }, rate: 1 / 60 })
    assert.equal(advise(report, { late: 60_000 }).choice, 'poll')
    assert.equal(advise(report, { late: 59_000 }).choice, 'sse')
  })

  test('is long polling where a proxy holds streams back and events are rare', () => {
    const report = run({ rate: 1 / 30 })
    const held = run({
      rate: 1 / 30,
      settings: { seconds: 300 },
      changes: { sse: crowd(report, 'sse', { received: 0, delays: delays(0, 0, 0) }) },
    })
    const { choice, reasons, crossings } = advise(held)
    assert.equal(choice, 'long-poll')
    assert.doesNotMatch(JSON.stringify(crossings), /sse/)
    assert.ok(codes(reasons).includes('held-back') && codes(reasons).includes('gets-through'))
  })

  test('is a WebSocket only where what HTTP leaves costs far more', () => {
    const changes = { sse: crowd(run(), 'sse', { delays: delays(9_000) }) }
    assert.equal(advise(run({ changes })).choice, 'websocket')
    assert.equal(advise(run({ rate: 0.2, changes })).choice, 'long-poll')
    assert.equal(advise(run()).choice, 'sse')
  })

  test('is never a way that missed events, or by which nothing came', () => {
    const missed = advise(run({ changes: { sse: crowd(run(), 'sse', { missed: 3 }) } }))
    assert.notEqual(missed.choice, 'sse')
    assert.equal(missed.standings.find(({ technique }) => technique === 'sse')?.fault, 'missed')
    const report = run({ settings: { techniques: ['websocket', 'poll'] } })
    const none = run({
      settings: { techniques: ['websocket', 'poll'] },
      changes: {
        websocket: { refused: 7, ...crowd(report, 'websocket', { received: 0, delays: delays(0, 0, 0) }) },
      },
    })
    assert.deepEqual(
      advise(none).reasons.find(({ code }) => code === 'nothing-came'),
      { code: 'nothing-came', technique: 'websocket', refused: 7 },
    )
  })

  test('is the least late where nothing is in time, and says so', () => {
    const { choice, reasons } = advise(
      run({ settings: { network: { delay: 800, buffering: false, cutAfter: 0 } } }),
      {
        late: 300,
      },
    )
    assert.equal(reasons[0]?.code, 'least-late')
    assert.ok(choice !== undefined && choice !== 'poll')
  })

  test('is none where no event came at all', () => {
    const empty = crowd(run(), 'sse', { received: 0, delays: delays(0, 0, 0) })
    const none = run({ settings: { techniques: ['sse'] }, changes: { sse: empty } })
    assert.equal(advise(none).choice, undefined)
    assert.match(sayAll(none)[0] ?? '', /Nothing can be recommended/)
  })

  test('names those that do as well', () => {
    const poll = advise(run({ settings: { pollEvery: 700_000 }, rate: 1 / 3600 }), { late: 1e6 })
    assert.equal(poll.choice, 'poll')
    const twins = run({
      settings: { techniques: ['sse', 'websocket'] },
      changes: { websocket: run().techniques.sse ?? {} },
    })
    assert.deepEqual([advise(twins).choice, advise(twins).ties], ['sse', ['websocket']])
  })

  test('says what was not found out', () => {
    const report = run({ settings: { techniques: ['sse', 'poll'], seconds: 8, clients: 0 } })
    assert.deepEqual(
      advise({ ...report, techniques: run().techniques })
        .unknowns.map(({ code }) => code)
        .sort(),
      ['few-events', 'no-cpu', 'no-crowd', 'short'],
    )
    assert.deepEqual(
      advise(run({ settings: { techniques: ['sse'] } })).unknowns.filter(({ code }) => code === 'not-run')
        .length,
      3,
    )
  })

  test('holds CPU against it where another way needs clearly less', () => {
    const changes = {
      sse: { cpu: { perDelivery: 30, plusMinus: 2, perSecond: 9 } },
      websocket: { cpu: { perDelivery: 10, plusMinus: 2, perSecond: 3 } },
    }
    assert.deepEqual(
      advise(run({ changes })).against.find(({ code }) => code === 'more-cpu'),
      {
        code: 'more-cpu',
        technique: 'sse',
        other: 'websocket',
        cpu: 30,
        otherCpu: 10,
      },
    )
  })

  test('is not decided by compression, which any way can have', () => {
    const settings = { pollEvery: 2_000, events: { rate: 1, shape: 'steady', size: 1_000 } } as const
    const { poll } = run({ settings }).techniques
    const packed = { bytesOut: { head: poll?.bytesOut.head ?? 0, body: (poll?.crowd.received ?? 0) * 250 } }
    const { choice, reasons } = advise(run({ settings, changes: { poll: packed } }))
    assert.equal(choice, 'sse')
    assert.ok(codes(reasons).includes('packed'))
    assert.deepEqual(
      reasons.find(({ code }) => code === 'asks-once'),
      { code: 'asks-once', technique: 'sse', polls: 30 },
    )
  })

  test('takes no figure of CPU that is smaller than what it may be off by', () => {
    const changes = {
      sse: { cpu: { perDelivery: 30, plusMinus: 2, perSecond: 9 } },
      websocket: { cpu: { perDelivery: 4, plusMinus: 5, perSecond: 3 } },
    }
    assert.ok(!codes(advise(run({ changes })).against).includes('more-cpu'))
  })

  test('says so where the machine had too much to do', () => {
    const report = { ...run(), late: { events: 3, crowd: 80 } }
    assert.ok(codes(advise(report).unknowns).includes('slow-machine'))
  })

  const rates = fc.double({ min: 1 / 60, max: 100, noNaN: true })
  const intervals = fc.integer({ min: 100, max: 600_000 })
  const lates = fc.integer({ min: 50, max: 600_000 })

  test('never goes from a stream to polling because events come more often', () => {
    fc.assert(
      fc.property(rates, rates, intervals, lates, (one, other, pollEvery, late) => {
        const [rare, often] = one < other ? [one, other] : [other, one]
        const settings = { pollEvery, seconds: 300 }
        if (advise(run({ rate: rare, settings }), { late }).choice === 'poll') return
        assert.notEqual(advise(run({ rate: often, settings }), { late }).choice, 'poll')
      }),
    )
  })

  test('never goes to polling because less delay is allowed, nor because it would ask more often', () => {
    fc.assert(
      fc.property(
        rates,
        intervals,
        lates,
        fc.integer({ min: 1, max: 50 }),
        (rate, pollEvery, late, times) => {
          const settings = { pollEvery, seconds: 300 }
          if (advise(run({ rate, settings }), { late }).choice === 'poll') return
          assert.notEqual(advise(run({ rate, settings }), { late: late / times }).choice, 'poll')
          if (pollEvery > late || pollEvery / times < 100) return
          const eager = { ...settings, pollEvery: pollEvery / times }
          assert.notEqual(advise(run({ rate, settings: eager }), { late }).choice, 'poll')
        },
      ),
    )
  })

  test('never goes to SSE because SSE was slower', () => {
    const slow = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(rates, slow, slow, lates, (rate, one, other, late) => {
        const of = (p50: number) => {
          const report = run({ rate, settings: { seconds: 300 } })
          const sse = crowd(report, 'sse', { delays: delays(p50) })
          return advise(
            {
              ...report,
              techniques: {
                ...report.techniques,
                sse: { ...report.techniques.sse, ...sse } as TechniqueReport,
              },
            },
            { late },
          )
        }
        const [fast, slower] = [of(Math.min(one, other)), of(Math.max(one, other))]
        // Where nothing is in time the least late is chosen, whichever it is.
        if (fast.choice !== 'sse' && slower.standings.some(({ fault }) => !fault))
          assert.notEqual(slower.choice, 'sse')
      }),
    )
  })

  test('says something of everything, in whole sentences, without a number that is none', () => {
    const shapes = fc.constantFrom('steady', 'bursts', 'poisson' as const)
    const subset = fc.subarray([...TECHNIQUES], { minLength: 1 })
    fc.assert(
      fc.property(rates, intervals, lates, shapes, subset, (rate, pollEvery, late, shape, techniques) => {
        const settings = { pollEvery, techniques, events: { rate, shape, size: 64 } } as Partial<LabSettings>
        for (const line of sayAll(run({ settings }), { late })) {
          assert.match(line, /^[A-Z\d].*\.$/)
          assert.doesNotMatch(line, /NaN|Infinity|undefined/)
        }
      }),
    )
  })
})

describe('what a client costs', () => {
  test('is made of measured requests and events: predicted for the rate of the run, it is what was measured', () => {
    const report = run({ rate: 2 })
    for (const technique of TECHNIQUES) {
      const its = report.techniques[technique] as TechniqueReport
      const costs = unitCosts(its, its.crowd.received, 200)
      assert.ok(costs)
      const predicted = bytesPerMinute(technique, costs, report.settings)
      const expected =
        requestsPerMinute(technique, report.settings) * UNITS[technique].request +
        120 * (200 + UNITS[technique].overhead)
      assert.ok(Math.abs(predicted / expected - 1) < 1e-9)
    }
  })

  test('of a connection is charged to its life, not to the seconds that were looked at', () => {
    assert.ok(Math.abs(requestsPerMinute('sse', SETTINGS) * 27 - 1) < 0.01)
    const cut = { ...SETTINGS, network: { delay: 0, cutAfter: 9_000 } }
    assert.deepEqual([requestsPerMinute('sse', cut), requestsPerMinute('websocket', cut)], [5, 6])
  })

  test('of long polls: one request for each event when these are rare, one for each wait when there are none', () => {
    const at = (rate: number) => requestsPerMinute('long-poll', atRate(SETTINGS, rate))
    assert.ok(Math.abs(at(0.5) / 30 - 1) < 0.01)
    assert.ok(Math.abs(at(1e-6) / (60 / 25) - 1) < 0.01)
    const bursts = { ...SETTINGS, events: { rate: 5, shape: 'bursts' as const } }
    assert.ok(Math.abs(requestsPerMinute('long-poll', bursts) / 30 - 1) < 0.01)
  })

  test('is not known of what never asked', () => {
    const nothing = { requests: 0, bytesIn: { head: 0, body: 0 }, bytesOut: { head: 0, body: 0 } }
    assert.equal(unitCosts(nothing, 0, 64), undefined)
  })
})

describe('where the lines cross', () => {
  const costs = fc.record({
    request: fc.integer({ min: 200, max: 5_000 }),
    event: fc.integer({ min: 70, max: 70_000 }),
  })

  test('both cost the same, and each is cheaper on its side', () => {
    fc.assert(
      fc.property(
        costs,
        costs,
        costs,
        costs,
        fc.integer({ min: 100, max: 600_000 }),
        (poll, long, sse, websocket, pollEvery) => {
          const all = { poll, 'long-poll': long, sse, websocket }
          const load = { ...SETTINGS, pollEvery }
          const at = (technique: Technique, rate: number) =>
            bytesPerMinute(technique, all[technique], atRate(load, rate))
          for (const crossing of crossingsOf(all, load)) {
            if (crossing.code === 'rate') {
              const { below, above, rate } = crossing
              assert.ok(Math.abs(at(below, rate) / at(above, rate) - 1) < 1e-6)
              assert.ok(at(below, rate * 0.999) <= at(above, rate * 0.999))
              assert.ok(at(below, rate * 1.001) >= at(above, rate * 1.001))
            } else if (crossing.code === 'interval') {
              const there = { ...load, pollEvery: crossing.every }
              const polling = bytesPerMinute('poll', poll, there)
              const other = bytesPerMinute(crossing.other, all[crossing.other], there)
              assert.ok(Math.abs(polling / other - 1) < 1e-9)
              assert.equal(crossing.late, crossing.every / 2)
            } else if (crossing.code === 'always') {
              for (const rate of [1 / 60, 1, 100])
                for (const other of crossing.others)
                  assert.ok(at(crossing.technique, rate) <= at(other, rate))
            }
          }
        },
      ),
    )
  })

  test('for CPU: where polls and deliveries cost the same', () => {
    const changes = {
      poll: { cpu: { perDelivery: 100, plusMinus: 2, perSecond: 1 } },
      sse: { cpu: { perDelivery: 10, plusMinus: 2, perSecond: 0.1 } },
    }
    const found = advise(run({ changes })).crossings.filter(({ code }) => code === 'cpu')
    assert.deepEqual(found, [{ code: 'cpu', other: 'sse', rate: 10 }])
  })
})

test('figures are rounded as people read them', () => {
  const { bytes, time, count } = figures('en', ENGLISH_UNITS)
  const plain = (text: string): string => text.replaceAll('\u00A0', ' ')
  assert.deepEqual(
    [0, 999, 999.6, 1500, 12_345, 9_949_999].map((value) => plain(bytes(value))),
    ['0 B', '999 B', '1 kB', '1.5 kB', '12 kB', '9.9 MB'],
  )
  assert.deepEqual(
    [0.42, 12.7, 999, 2_500, 60_000, 300_000].map((value) => plain(time(value))),
    ['0.4 ms', '13 ms', '999 ms', '2.5 s', '60 s', '5 min'],
  )
  assert.deepEqual([count(3.14), count(12345)], ['3.1', '12,345'])
})
