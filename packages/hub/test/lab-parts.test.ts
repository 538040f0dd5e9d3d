/** The parts of the Lab that need no hub: settings, the schedule, delays, answers as they come, CPU. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Group, Member } from '../src/lab/crowd/group.ts'
import { ResponseReader } from '../src/lab/crowd/response-reader.ts'
import { cpuOf, speedUp } from '../src/lab/cpu-turns.ts'
import { DelayCounts } from '../src/lab/delays.ts'
import { LabClock } from '../src/lab/lab-clock.ts'
import { DEFAULT_SETTINGS, LAB_PRESETS, PRESETS } from '../src/lab/presets.ts'
import { EventPublisher, eventData } from '../src/lab/publisher.ts'
import { DELAY_BOUNDS } from '../src/lab/report.ts'
import { LEAD_MS, randomOf, schedule } from '../src/lab/schedule.ts'
import { labSettings, SettingError } from '../src/lab/settings.ts'

describe('settings', () => {
  test('each preset is within the bounds, and there for less than a minute and a half', () => {
    for (const name of PRESETS) {
      const preset = LAB_PRESETS[name]
      assert.deepEqual(labSettings(preset), preset)
      assert.ok(preset.seconds <= 60)
      assert.ok(preset.seconds * preset.events.rate >= 3, `${name} has some events`)
    }
  })

  test('what is not said is as in the preset `dashboard`', () => {
    assert.deepEqual(labSettings({}), DEFAULT_SETTINGS)
    assert.deepEqual(labSettings({ events: { rate: 2 } }).events, { ...DEFAULT_SETTINGS.events, rate: 2 })
  })

  test('techniques are told in one order', () => {
    assert.deepEqual(labSettings({ techniques: ['sse', 'poll'] }).techniques, ['poll', 'sse'])
  })

  for (const [settings, setting, message] of [
    [
      { events: { rate: 101 } },
      'events.rate',
      /^Expected `events.rate` to be a number from 0.0166 to 100, got 101$/,
    ],
    [{ events: { rate: 0.01 } }, 'events.rate', /0.0166 to 100/],
    [{ events: { rate: '1' } }, 'events.rate', /got "1"/],
    [{ events: { size: 63 } }, 'events.size', /a whole number from 64 to 65536/],
    [{ events: { size: 64.5 } }, 'events.size', /whole/],
    [{ events: { shape: 'wild' } }, 'events.shape', /steady, bursts, poisson, got "wild"/],
    [{ events: null, clients: 501 }, 'clients', /0 to 500/],
    [{ clients: Number.NaN }, 'clients', /got null/],
    [{ pollEvery: 99 }, 'pollEvery', /100 to 600000/],
    [{ seconds: 301 }, 'seconds', /2 to 300/],
    [{ network: { delay: -1 } }, 'network.delay', /0 to 5000/],
    [{ network: { cutAfter: 400 } }, 'network.cutAfter', /500 to 600000, or 0 for never/],
    [{ network: { buffering: 1 } }, 'network.buffering', /true or false/],
    [{ network: { loss: 1 } }, 'network', /no other members than delay, buffering, cutAfter, got "loss"/],
    [{ cpu: 'yes' }, 'cpu', /true or false/],
    [{ techniques: [] }, 'techniques', /at least one/],
    [{ techniques: ['sse', 'sse'] }, 'techniques', /each once/],
    [{ techniques: ['telepathy'] }, 'techniques', /poll, long-poll, sse, websocket/],
    [{ speed: 1 }, 'settings', /got "speed"/],
    [[], 'settings', /an object/],
    [
      { events: { rate: 100, size: 64 }, clients: 101 },
      'clients',
      /at most 10000 deliveries a second, got 10100/,
    ],
    [{ events: { rate: 100, size: 65_536 }, clients: 10 }, 'events.size', /bytes a second/],
    [{ events: { rate: 100, size: 65_536 }, clients: 1, seconds: 60 }, 'seconds', /bytes, got/],
    [{ clients: 500, pollEvery: 100 }, 'pollEvery', /at most 2500 polls a second of all `clients`, got 5000/],
  ] as const) {
    test(`${JSON.stringify(settings)} is refused, with what was expected`, () => {
      assert.throws(
        () => labSettings(settings),
        (error: unknown) => {
          assert.ok(error instanceof SettingError)
          assert.equal(error.setting, setting)
          assert.match(error.message, message)
          return true
        },
      )
    })
  }

  test('who does not poll may have any interval', () => {
    labSettings({ clients: 500, pollEvery: 100, techniques: ['sse'] })
  })
})

describe('the schedule', () => {
  function first(count: number, rate: number, shape: 'steady' | 'bursts' | 'poisson', seed = 1): number[] {
    const times = schedule({ rate, shape }, randomOf(seed))
    return Array.from({ length: count }, () => times.next().value)
  }

  test('steady: one after each interval, from the start and not from the one before', () => {
    assert.deepEqual(first(4, 4, 'steady'), [LEAD_MS, LEAD_MS + 250, LEAD_MS + 500, LEAD_MS + 750])
    assert.equal(first(30_001, 100, 'steady').at(-1), LEAD_MS + 300_000)
  })

  test('bursts: ten at once, at the same mean rate', () => {
    const times = first(30, 20, 'bursts')
    assert.deepEqual([...new Set(times)], [LEAD_MS, LEAD_MS + 500, LEAD_MS + 1000])
    assert.deepEqual(times.slice(0, 11), [...Array.from({ length: 10 }, () => LEAD_MS), LEAD_MS + 500])
  })

  test('poisson: at random, never back, at the same mean rate, and the same for the same seed', () => {
    const times = first(10_000, 50, 'poisson')
    assert.ok(times.every((time, n) => n === 0 || time >= (times[n - 1] as number)))
    assert.ok(Math.abs((times.at(-1) as number) / 10_000 - 20) < 0.6, 'every 20 ms in the mean')
    const gaps = times.slice(1).map((time, n) => time - (times[n] as number))
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const spread = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
    assert.ok(Math.abs(spread / mean - 1) < 0.05, 'as far apart as by chance')
    assert.deepEqual(times, first(10_000, 50, 'poisson'))
    assert.notDeepEqual(times, first(10_000, 50, 'poisson', 2))
  })

  test('however rare events are, there is one at the beginning', () => {
    for (const shape of ['steady', 'bursts', 'poisson'] as const)
      assert.equal(first(1, 0.0166, shape)[0], LEAD_MS)
  })
})

describe('an event', () => {
  const text = 'x'.repeat(70_000)

  test('has the size that was asked for, and its number and time first', () => {
    for (const size of [64, 65, 1000, 65_536]) {
      const data = eventData(29_999, 1_763_874_398_123.4565, size, text)
      assert.equal(Buffer.byteLength(data), size)
      assert.ok(data.startsWith('{"n":29999,"t":1763874398123.457,'))
      const { n, t } = JSON.parse(data) as { n: number; t: number }
      assert.deepEqual([n, t], [29_999, 1_763_874_398_123.457])
    }
  })
})

describe('delays', () => {
  test('are counted by size, up to each bound and beyond the last', () => {
    const delays = new DelayCounts()
    for (const ms of [0.2, 1, 1.1, 30_000, 30_001]) delays.add(ms)
    const { count, counts, max } = delays.report()
    assert.deepEqual([count, max, counts.length], [5, 30_001, DELAY_BOUNDS.length + 1])
    assert.deepEqual([counts[0], counts[1], counts.at(-2), counts.at(-1)], [2, 1, 1, 1])
  })

  test('percentiles are right within 2 %', () => {
    const delays = new DelayCounts()
    for (let ms = 1; ms <= 1000; ms++) delays.add(ms)
    const { p50, p99 } = delays.report()
    assert.ok(p50 >= 500 && p50 <= 510, `${p50}`)
    assert.ok(p99 >= 990 && p99 <= 1000, `${p99}`)
  })

  test('of none are none, and of two clocks that disagree are none', () => {
    assert.deepEqual(new DelayCounts().report().p99, 0)
    const delays = new DelayCounts()
    delays.add(-3)
    assert.deepEqual([delays.report().max, delays.report().counts[0]], [0, 1])
  })
})

describe('answers as they come', () => {
  const answers = [
    'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  ]
  const bytes = Buffer.from(answers.join(''))

  function read(chunks: readonly Buffer[]): { told: unknown[]; head: number; body: number } {
    const told: unknown[] = []
    const counts = { head: 0, body: 0 }
    let text = ''
    const reader = new ResponseReader({
      head: ({ status }) => told.push(status),
      body: (bytes) => (text += bytes.toString()),
      end: (keep) => {
        told.push(text, keep)
        text = ''
      },
      counted: (part, count) => (counts[part] += count),
    })
    for (const chunk of chunks) reader.feed(chunk)
    return { told, ...counts }
  }

  const expected = [
    200,
    'hello',
    true,
    304,
    '',
    true,
    200,
    'abc0123456789abcdef',
    true,
    204,
    '',
    true,
    200,
    '',
    false,
  ]

  test('are told from each other, however they are split, and every byte is counted once', () => {
    for (let size = 1; size <= bytes.length; size++) {
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
      const { told, head, body } = read(chunks)
      assert.deepEqual(told, expected, `in pieces of ${size}`)
      const chunked = '3;a=b\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n'.length
      assert.deepEqual([head + body, body], [bytes.length, 5 + chunked])
    }
  })

  test('without a length go on to the end of the connection', () => {
    const told: string[] = []
    const reader = new ResponseReader({
      head() {},
      body: (bytes) => told.push(bytes.toString()),
      end() {},
      counted() {},
    })
    assert.equal(reader.endsWithConnection, false)
    reader.feed(Buffer.from('HTTP/1.0 200 OK\r\n\r\nabc'))
    assert.deepEqual([told, reader.endsWithConnection], [['abc'], true])
  })

  test('of something else are refused', () => {
    assert.throws(() => read([Buffer.from('SSH-2.0-x\r\n\r\n')]), /no HTTP/)
    assert.throws(
      () => read([Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')]),
      /no size/,
    )
    assert.throws(() => read([Buffer.from('x'.repeat(70_000))]), /no end/)
  })
})

describe('CPU', () => {
  const parts = (...loads: readonly number[]): { cpu: number; ms: number }[] =>
    loads.map((load) => ({ cpu: load / 10, ms: 100 }))

  test('is what a turn costs beyond the events alone, by the medians of its parts', () => {
    const cpu = cpuOf(
      { parts: parts(30, 32, 31, 500, 31), deliveries: 1000 },
      { parts: parts(10, 11, 11, 12, 200), deliveries: 0 },
      4,
    )
    assert.deepEqual([cpu?.perDelivery, cpu?.perSecond], [20, 5])
    assert.ok(
      cpu && cpu.plusMinus > 0 && cpu.plusMinus < 3,
      `one part that is off does not count: ${cpu?.plusMinus}`,
    )
  })

  test('is never less than nothing, and what it may be off by is said', () => {
    const cpu = cpuOf(
      { parts: parts(8, 10, 12), deliveries: 100 },
      { parts: parts(10, 12, 14), deliveries: 0 },
      1,
    )
    assert.deepEqual([cpu?.perDelivery, cpu?.perSecond], [0, 0])
    assert.ok(cpu && cpu.plusMinus > 0)
  })

  test('of no delivery is nothing', () => {
    assert.equal(cpuOf({ parts: parts(8), deliveries: 0 }, { parts: parts(1), deliveries: 0 }, 1), undefined)
  })

  test('rare events come faster, with their polls, and frequent ones as they are', () => {
    const { orders, ticks } = LAB_PRESETS
    // 50 clients that poll every 5 s: 10 a second.
    assert.equal(speedUp(orders), 100)
    assert.equal(speedUp({ ...ticks, clients: 100 }), 1)
    assert.ok(speedUp({ ...orders, techniques: ['sse'] }) > 100)
  })
})

describe('what a client has had', () => {
  class Client extends Member {
    readonly begun = true
    start(): void {}
    close(): void {}
    get(...numbers: readonly number[]): this {
      for (const n of numbers) this.take(`{"n":${n},"t":${clock.now()},"pad":""}`)
      return this
    }
    else(data: string): void {
      this.take(data)
    }
  }
  const clock = new LabClock()

  function client(): { client: Client; group: Group } {
    const group = new Group(
      {
        target: { host: '', port: 0, tls: 'none', authority: '', mount: '' },
        channel: 'lab.x',
        cursor: '',
        headers: [],
        clients: {},
        pollEvery: 1000,
        published: new SharedArrayBuffer(4),
        clockOrigin: clock.origin,
        seed: 1,
      },
      clock,
      Math.random,
    )
    const client = new Client(group)
    group.members.push(client)
    return { client, group }
  }

  const countsOf = (group: Group, due: number): readonly number[] => {
    const { received, missed, twice } = group.report(due)
    return [received, missed, twice]
  }

  test('what is due and has not come is missed', () => {
    const { client: one, group } = client()
    one.get(0, 1, 4)
    assert.deepEqual([one.had, countsOf(group, 2)], [2, [3, 0, 0]])
    assert.deepEqual(countsOf(group, 4), [3, 2, 0])
    assert.deepEqual(countsOf(group, 6), [3, 3, 0])
  })

  test('what was overtaken comes later, and once', () => {
    const { client: one, group } = client()
    one.get(1, 0, 3, 2)
    assert.deepEqual([one.had, countsOf(group, 4)], [4, [4, 0, 0]])
  })

  test('what comes again is counted apart', () => {
    const { client: one, group } = client()
    one.get(0, 1, 1, 0)
    assert.deepEqual([countsOf(group, 2), group.report(2).delays.count], [[2, 0, 2], 2])
  })

  test('what is none of the run is nothing', () => {
    const { client: one, group } = client()
    one.get(0).else('{"hello":1}')
    assert.deepEqual(countsOf(group, 1), [1, 0, 0])
  })
})

describe('publishing', () => {
  const settings = { rate: 100, shape: 'bursts', size: 64 } as const

  function publisher(
    publish: (data: string) => Promise<unknown>,
    acknowledged: number[] = [],
  ): EventPublisher {
    return new EventPublisher({
      events: settings,
      lasting: LEAD_MS + 250,
      clock: new LabClock(),
      seed: 1,
      publish,
      acknowledged: (count) => acknowledged.push(count),
    })
  }
  const never = new AbortController().signal

  test('each event once, in order, and it is over when all are acknowledged', async () => {
    const numbers: number[] = []
    const acknowledged: number[] = []
    await publisher(async (data) => numbers.push((JSON.parse(data) as { n: number }).n), acknowledged).run(
      never,
    )
    assert.deepEqual(
      numbers,
      Array.from({ length: 30 }, (_, n) => n),
    )
    assert.equal(acknowledged.at(-1), 30)
  })

  test('those are acknowledged before which all are', async () => {
    const first = Promise.withResolvers<void>()
    const acknowledged: number[] = []
    let count = 0
    await publisher(async () => {
      if (count++ === 0) await first.promise
      else if (count === 20) first.resolve()
    }, acknowledged).run(never)
    assert.deepEqual([acknowledged[0], acknowledged.includes(5), acknowledged.at(-1)], [0, false, 30])
  })

  test('a refusal ends it', async () => {
    await assert.rejects(publisher(() => Promise.reject(new Error('full'))).run(never), /full/)
  })

  test('stopped, it does not wait for what is under way', async () => {
    const stop = new AbortController()
    await publisher(() => {
      stop.abort()
      return new Promise(() => {})
    }).run(stop.signal)
  })

  test('what the log holds up goes out late, and is told to be', async () => {
    const slow = publisher(async () => {
      const until = Date.now() + 30
      while (Date.now() < until);
    })
    await slow.run(never)
    assert.ok(slow.takeLate() >= 200, 'ten at once, 30 ms each')
    assert.equal(slow.takeLate(), 0)
  })
})
