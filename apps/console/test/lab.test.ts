import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { offsetOf } from '../src/model/lab-clock.ts'
import { csvOf } from '../src/model/lab-csv.ts'
import {
  check,
  type Draft,
  draftOf,
  fieldOf,
  rateAt,
  rateDraft,
  rateOf,
  RATE_STEPS,
  stepOf,
} from '../src/model/lab-form.ts'
import { costOf, type Finished } from '../src/model/lab-result.ts'
import { added, placeOf, STEPS } from '../src/model/lab-scale.ts'
import { Traces } from '../src/model/lab-trace.ts'
import {
  advise,
  DELAY_BOUNDS,
  LAB_PRESETS,
  PRESETS,
  TECHNIQUES,
  type LabReport,
  type TechniqueReport,
} from '../src/lab/shared.ts'
import { LAB_WORDS } from '../src/words-lab.ts'

describe('what the page’s clients saw', () => {
  /** Events 0, 1, 2 … published at these times; a client that asked at 0. */
  const watch = () => {
    const traces = new Traces()
    const asked = traces.of('sse').asks(0)
    return {
      traces,
      asked,
      come: (n: number, published: number, now: number) => traces.arrived('sse', asked, n, published, now),
    }
  }

  test('is counted once, however often it comes', () => {
    const { traces, come } = watch()
    come(0, 100, 110)
    come(0, 100, 120)
    const { received, delays } = traces.figures('sse', 200, 0)
    assert.deepEqual([received, delays.count, traces.of('sse').twice], [1, 1, 1])
  })

  test('has no delay of what was there before the client came', () => {
    const traces = new Traces()
    const asked = traces.of('sse').asks(1_000)
    traces.arrived('sse', asked, 0, 400, 1_010)
    traces.arrived('sse', asked, 1, 1_500, 1_520)
    const { received, delays } = traces.figures('sse', 2_000, 0)
    assert.deepEqual([received, delays.count, delays.max], [2, 1, 20])
  })

  test('has missed what others have and it has not, once it had time to come', () => {
    const { traces, asked, come } = watch()
    come(0, 100, 110)
    const other = traces.of('websocket').asks(0)
    for (const n of [0, 1, 2]) traces.arrived('websocket', other, n, 100 + n, 120)
    assert.equal(traces.figures('sse', 200, 0).missed, 0)
    assert.equal(traces.figures('sse', 6_000, 0).missed, 2)
    assert.equal(traces.figures('sse', 6_000, 1_000).missed, 0)
    come(2, 102, 6_000)
    assert.equal(traces.figures('sse', 6_000, 0).missed, 1)
    assert.equal(asked.events, 2)
  })

  test('a poller has missed only what was there when it last asked and was answered', () => {
    const traces = new Traces()
    const stream = traces.of('sse').asks(0)
    for (const n of [0, 1, 2]) traces.arrived('sse', stream, n, 1_000 * (n + 1), 1_000 * (n + 1))
    const poll = traces.of('poll')
    poll.answered(poll.asks(1_500), 1_510)
    assert.equal(traces.figures('poll', 60_000, 0).missed, 1)
    poll.failed(poll.asks(3_500), 3_510)
    poll.left(poll.asks(4_500), 4_510)
    assert.equal(traces.figures('poll', 60_000, 0).missed, 1)
    const asked = poll.asks(5_000)
    for (const n of [0, 1, 2]) traces.arrived('poll', asked, n, 1_000 * (n + 1), 5_010)
    poll.answered(asked, 5_010)
    assert.equal(traces.figures('poll', 60_000, 0).missed, 0)
  })

  test('a request is empty when it brought nothing, not when it was left or failed', () => {
    const poll = new Traces().of('poll')
    poll.answered(poll.asks(0), 10)
    poll.failed(poll.asks(20), 30)
    poll.left(poll.asks(40), 50)
    assert.deepEqual([poll.requests, poll.empty, poll.failures], [3, 1, 1])
  })
})

test('the quickest answer tells the hub’s clock best, and how well', () => {
  assert.equal(offsetOf([]), undefined)
  const readings = [
    { asked: 1_000, answered: 1_050, hub: 6_049 },
    { asked: 1_100, answered: 1_104, hub: 6_102 },
  ]
  assert.deepEqual(offsetOf(readings), { offset: 5_000, precision: 2 })
})

describe('the form', () => {
  const faultsOf = (draft: Draft) => {
    const checked = check(draft)
    return 'faults' in checked ? [...checked.faults] : []
  }
  const base = draftOf('dashboard')

  test('begins as each preset, which is in order', () => {
    for (const preset of PRESETS) {
      const checked = check(draftOf(preset))
      assert.ok('settings' in checked, preset)
      const { rate } = checked.settings.events
      assert.ok(Math.abs(rate / LAB_PRESETS[preset].events.rate - 1) < 1e-5)
      assert.deepEqual(
        { ...checked.settings, events: { ...checked.settings.events, rate } },
        {
          ...LAB_PRESETS[preset],
          events: { ...LAB_PRESETS[preset].events, rate },
        },
      )
    }
  })

  test('says of each field what is wrong with it, in the unit in which it is typed', () => {
    assert.deepEqual(faultsOf({ ...base, rate: '', pollEvery: '601', size: '70.5', techniques: [] }), [
      ['rate', { code: 'number' }],
      ['size', { code: 'whole' }],
      ['pollEvery', { code: 'bounds', least: 0.1, most: 600, orZero: false }],
      ['techniques', { code: 'none-chosen' }],
    ])
    assert.deepEqual(faultsOf({ ...base, rate: '0.5', ratePer: 'minute' }), [
      ['rate', { code: 'bounds', least: 0.996, most: 6000, orZero: false }],
    ])
    assert.deepEqual(faultsOf({ ...base, cutAfter: '0' }), [])
    assert.deepEqual(faultsOf({ ...base, cutAfter: '0.2' })[0]?.[1], {
      code: 'bounds',
      least: 0.5,
      most: 600,
      orZero: true,
    })
  })

  test('takes a comma for a point, and one a minute for what it is', () => {
    const checked = check({ ...base, pollEvery: '2,5', rate: '1', ratePer: 'minute' })
    assert.ok('settings' in checked)
    assert.deepEqual([checked.settings.pollEvery, checked.settings.events.rate], [2_500, 1 / 60])
  })

  test('passes on what is too much only together', () => {
    const [[field, fault] = []] = faultsOf({ ...base, rate: '100', clients: '500' })
    assert.deepEqual([field, fault?.code], ['clients', 'together'])
    assert.deepEqual([fieldOf('events.size'), fieldOf('network.cutAfter')], ['size', 'cutAfter'])
  })

  test('the slider goes from one a minute to 100 a second and back', () => {
    assert.deepEqual([stepOf(rateAt(0)), stepOf(rateAt(RATE_STEPS))], [0, RATE_STEPS])
    for (let step = 0; step <= RATE_STEPS; step++) {
      const typed = { ...base, ...rateDraft(rateAt(step)) }
      assert.deepEqual(faultsOf(typed), [], typed.rate)
      assert.ok(Math.abs(stepOf(rateOf(typed) ?? 0) - step) <= 1)
    }
  })
})

test('delays have their places on the scale, in order', () => {
  assert.deepEqual([placeOf(0), placeOf(1e9)], [0, 1])
  for (const [step, bound] of DELAY_BOUNDS.entries())
    assert.ok(Math.abs(placeOf(bound) - (step + 1) / STEPS) < 1e-9)
  const ms = fc.double({ min: 0, max: 100_000, noNaN: true })
  fc.assert(
    fc.property(ms, ms, (one, other) =>
      assert.equal(placeOf(Math.min(one, other)) <= placeOf(Math.max(one, other)), true),
    ),
  )
  assert.deepEqual(added([1, 2], [0, 3]).slice(0, 3), [1, 5, 0])
})

const counts = DELAY_BOUNDS.map(() => 0)
const its = (change: Partial<TechniqueReport> = {}): TechniqueReport => ({
  requests: 60,
  empty: 45,
  refused: 0,
  connections: 10,
  mostConnections: 11,
  bytesIn: { head: 30_000, body: 0 },
  bytesOut: { head: 12_000, body: 6_000 },
  crowd: {
    clients: 10,
    received: 18,
    missed: 0,
    twice: 0,
    delays: { count: 18, counts, p50: 7, p99: 9, max: 9 },
  },
  ...change,
})
const report = (change: Partial<LabReport> = {}): LabReport => ({
  id: 'run-1',
  channel: 'lab.run-1',
  state: 'done',
  settings: { ...LAB_PRESETS.orders, techniques: ['poll', 'sse'] },
  started: Date.UTC(2026, 10, 23),
  elapsed: 30_000,
  published: 2,
  late: { events: 0, crowd: 0 },
  techniques: { poll: its(), sse: its({ cpu: { perDelivery: 3, plusMinus: 5, perSecond: 1 } }) },
  ...change,
})
const own = { received: 2, missed: 0, delays: { count: 2, counts, p50: 8, p99: 8, max: 8 } }

test('costs are shared out among the clients, the page’s own among them', () => {
  const cost = costOf('poll', { report: report(), page: { poll: own } })
  assert.deepEqual(
    [cost?.clients, cost?.received, cost?.emptyShare, cost?.up, cost?.down, cost?.p50],
    [11, 20, 0.75, { head: 1500, body: 0 }, { head: 600, body: 300 }, 7],
  )
  assert.ok(Math.abs((cost?.requestsPerMinute ?? 0) - 120 / 11) < 1e-9)
  const sse = costOf('sse', { report: report(), page: {} })
  assert.deepEqual([sse?.cpu, sse?.cpuBelow, cost?.cpuBelow], [undefined, 5, undefined])
  assert.equal(costOf('websocket', { report: report(), page: {} }), undefined)
  const none = its({ crowd: { ...its().crowd, received: 0, delays: { ...its().crowd.delays, count: 0 } } })
  const nothing = costOf('poll', { report: report({ techniques: { poll: none } }), page: {} })
  assert.deepEqual([nothing?.up, nothing?.p50], [undefined, undefined])
})

test('a saved run has its settings, each technique’s figures, and each second', () => {
  const finished: Finished = { report: report(), page: { poll: own }, late: 5_000 }
  const lines = csvOf(finished, [{ second: 1, report: report({ published: 1 }), page: {} }]).split('\r\n')
  assert.equal(lines[0], 'part,technique,second,figure,value,unit')
  for (const line of [
    'settings,,,events.rate,0.2,1/s',
    'settings,,,techniques,poll sse,',
    'settings,,,late,5000,ms',
    'total,,,published,2,',
    'total,poll,,bytesOut.head,12000,B',
    'total,poll,,page.received,2,',
    'total,sse,,cpu.plusMinus,5,us',
    'second,sse,1,requests,60,',
  ])
    assert.ok(lines.includes(line), line)
  assert.ok(lines.every((line) => line === '' || line.split(',').length === 6))
})

test('the recommendation is said in whole sentences, in both languages, without a number that is none', () => {
  const techniques = fc.record({
    requests: fc.integer({ min: 1, max: 5_000 }),
    received: fc.integer({ min: 0, max: 5_000 }),
    missed: fc.constantFrom(0, 0, 3),
    refused: fc.constantFrom(0, 2),
    p50: fc.double({ min: 0.1, max: 20_000, noNaN: true }),
    body: fc.integer({ min: 100, max: 1_000_000 }),
    cpu: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
  })
  const settings = fc.record({
    rate: fc.constantFrom(1 / 60, 0.5, 1, 21, 100),
    pollEvery: fc.constantFrom(100, 5_000, 600_000),
    clients: fc.constantFrom(0, 10),
    seconds: fc.constantFrom(2, 60),
  })
  const all = fc.array(techniques, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(all, settings, fc.constantFrom(50, 2_000, 600_000), (made, { rate, ...asked }, late) => {
      const names = TECHNIQUES.slice(0, made.length)
      const base = LAB_PRESETS.orders
      const told = report({
        published: Math.max(1, Math.round(rate * asked.seconds)),
        settings: { ...base, ...asked, events: { ...base.events, rate }, techniques: names },
        techniques: Object.fromEntries(
          made.map(({ requests, received, missed, refused, p50, body, cpu }, way) => {
            const delays = { count: received, counts, p50, p99: p50 * 2, max: p50 * 3 }
            const crowd = { clients: asked.clients, received, missed, twice: 0, delays }
            const measured =
              cpu === undefined ? {} : { cpu: { perDelivery: cpu, plusMinus: 2, perSecond: 1 } }
            return [names[way], its({ requests, refused, bytesOut: { head: 10, body }, crowd, ...measured })]
          }),
        ),
      })
      const { choice, ties, reasons, against, crossings, unknowns } = advise(told, { late })
      for (const { advice } of Object.values(LAB_WORDS))
        for (const line of [
          choice ? advice.choice(choice, ties) : advice.noChoice,
          ...reasons.map((one) => advice.reason(one)),
          ...against.map((one) => advice.caveat(one)),
          ...crossings.map((one) => advice.crossing(one)),
          ...unknowns.map((one) => advice.unknown(one)),
        ]) {
          assert.match(line, /^[A-ZА-Я\d][^]*\.$/)
          assert.doesNotMatch(line, /NaN|Infinity|∞|не число|undefined|\.\./)
        }
    }),
  )
})

test('both languages say the same things of the Lab, and name each way', () => {
  const shape = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
      : typeof value
  assert.deepEqual(shape(LAB_WORDS.ru), shape(LAB_WORDS.en))
  for (const words of Object.values(LAB_WORDS))
    for (const technique of TECHNIQUES) assert.ok(words.names[technique] && words.how[technique])
})
