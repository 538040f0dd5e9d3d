/** Polls share what was read and written, and none is older than what was acknowledged before it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { type Page, parsePage } from '@downlink/wire'
import fc from 'fast-check'
import type { WholeAnswer } from '../src/http/message.ts'
import type { codePageBody } from '../src/http/page-coding.ts'
import { Polls } from '../src/http/polls.ts'
import { readRequest } from '../src/http/read-request.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import type { Log } from '../src/log/log.ts'
import { DEFAULT_RETENTION, type RetentionRule } from '../src/log/retention.ts'
import { SqliteLog } from '../src/log/sqlite/sqlite-log.ts'
import { change, RULES, runs, take } from './log-contract/steps.ts'
import { HOUR } from './log-contract/harness.ts'
import { OpenLog } from './simulation/stage.ts'
import { fakeRequest } from './wire-contract/fake-request.ts'

interface Clock {
  now: number
}

interface Engine {
  readonly name: string
  open(context: Clean, clock: Clock, retention: readonly RetentionRule[], forget: number): Promise<Log>
  /** Of the random runs, how many. */
  readonly runs: number
}

interface Clean {
  after(clean: () => Promise<unknown>): void
}

const engines: readonly Engine[] = [
  {
    name: 'memory',
    runs: 100,
    open: async (_, clock, retention, forget) =>
      new OpenLog({ now: () => clock.now, every: () => () => {}, retention, forget }),
  },
  {
    name: 'sqlite',
    runs: 8,
    async open(context, clock, retention, forget) {
      const folder = await mkdtemp(join(tmpdir(), 'downlink-polls-'))
      context.after(() => rm(folder, { recursive: true, force: true }))
      const rest = { ...DEFAULT_RETENTION, channels: '**' }
      const rules = [...retention.map((rule) => ({ ...DEFAULT_RETENTION, ...rule })), rest]
      return SqliteLog.open({ path: join(folder, 'log.db'), now: () => clock.now, retention: rules, forget })
    },
  },
]

class Poller {
  readonly hub: Hub
  readonly #polls: Polls

  constructor(hub: Hub, code?: typeof codePageBody) {
    this.hub = hub
    this.#polls = new Polls(hub, true, code)
  }

  answer(parts: string, query = 'after=start', headers = {}): WholeAnswer | Promise<WholeAnswer> {
    const request = fakeRequest(query, headers)
    const plan = readRequest(request, this.hub.limits)
    return this.#polls.answer(new ChannelSet(parts.split(',')), plan, request)
  }

  async page(parts: string, query?: string): Promise<Page> {
    return parsePage(String((await this.answer(parts, query)).body))
  }
}

/** What a page tells: not when to come back. */
function told(page: Page): object {
  return { ...page, retry: 0 }
}

function hubOf(context: Clean, log: Log): Hub {
  const hub = createHub({ log })
  context.after(() => hub.close())
  return hub
}

for (const engine of engines) {
  describe(`polls of ${engine.name}`, () => {
    async function start(context: TestContext): Promise<{ poller: Poller; hub: Hub; clock: Clock }> {
      const clock = { now: Date.UTC(2026, 0, 1) }
      const rules = [
        { channels: 'count', count: 2 },
        { channels: 'bytes', bytes: 4 },
        { channels: 'age', age: HOUR },
      ]
      // What was registered first is cleaned up last.
      const cleanups: (() => Promise<unknown>)[] = []
      context.after(async () => {
        for (const clean of cleanups.reverse()) await clean()
      })
      const clean = { after: (run: () => Promise<unknown>) => void cleanups.push(run) }
      const hub = hubOf(clean, await engine.open(clean, clock, rules, 2 * HOUR))
      return { poller: new Poller(hub), hub, clock }
    }

    for (const [what, channel, act, seen] of [
      ['an append', 'a', (hub) => hub.publish('a', '3'), (page) => page.events.at(-1)?.data === '3'],
      ['an end', 'a', (hub) => hub.end('a'), (page) => page.ended?.[0] === 'a'],
      [
        'a drop',
        'a',
        (hub) => hub.drop('a'),
        (page) => page.gap?.reason === 'deleted' && page.events.length === 0,
      ],
      [
        'a trim by count',
        'count',
        (hub) => hub.publish('count', '3'),
        (page) => page.gap?.reason === 'trimmed' && page.events.length === 2,
      ],
      [
        'a trim by bytes',
        'bytes',
        (hub) => hub.publish('bytes', '345'),
        (page) => page.gap?.reason === 'trimmed',
      ],
      [
        'a trim by age',
        'age',
        (_, clock) => (clock.now += HOUR + 1),
        (page) => page.gap?.reason === 'trimmed' && page.events.length === 0,
      ],
      [
        'a channel’s being forgotten',
        'gone',
        (_, clock) => (clock.now += 2 * HOUR + 1),
        (page) => page.gap?.reason === 'unknown',
      ],
    ] as readonly (readonly [
      string,
      string,
      (hub: Hub, clock: Clock) => unknown,
      (page: Page) => boolean,
    ])[]) {
      test(`the next poll after ${what} knows of it`, async (context) => {
        const { poller, hub, clock } = await start(context)
        await hub.publish(channel, ['1', '2'])
        if (channel === 'gone') await hub.drop('gone')
        for (let round = 0; round < 5; round++) assert.equal(seen(await poller.page(channel)), false)
        // What is erased is swept before anything is forgotten.
        while (hub.log.version() === undefined) await poller.page(channel)
        await act(hub, clock)
        // An engine that is behind with what is too old says so, and nothing is kept meanwhile.
        let behind: boolean
        let page: Page
        do {
          behind = hub.log.version() === undefined
          page = await poller.page(channel)
        } while (behind && !seen(page))
        assert.equal(seen(page), true)
        assert.equal(seen(await poller.page(channel)), true)
      })
    }

    test('at rest, what is asked again is the same answer, and 304 to who has it', async (context) => {
      const { poller, hub } = await start(context)
      await hub.publish('a', '1')
      // Until the engine has nothing left to do.
      while (hub.log.version() === undefined) await poller.answer('a')
      const first = await poller.answer('a')
      assert.equal(poller.answer('a'), first)
      const unchanged = await poller.answer('a', undefined, { 'if-none-match': first.headers['etag'] })
      assert.deepEqual([unchanged.status, unchanged.body], [304, undefined])
    })

    test('whatever happens, a poll tells what a read would', async () => {
      const parts = ['**', 'count', 'free,p.**', '$hub', 'q.needle']
      const queries = ['after=start', 'last=3', 'limit=2&after=start', 'after=now']
      const step = fc.oneof(
        { weight: 3, arbitrary: change },
        { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...parts), fc.constantFrom(...queries)) },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const clock = { now: Date.UTC(2026, 0, 1) }
          const cleanups: (() => Promise<unknown>)[] = []
          const clean = { after: (run: () => Promise<unknown>) => void cleanups.push(run) }
          const log = await engine.open(clean, clock, RULES, 4_000)
          const poller = new Poller(hubOf(clean, log))
          const other = new Poller(poller.hub)
          const harness = {
            log,
            now: 0,
            close: () => log.close(),
            pass: () => {},
            advance: async (ms: number) => void (clock.now += ms),
          }
          try {
            for (const one of steps) {
              if (!Array.isArray(one)) {
                await take(harness, one)
                continue
              }
              const [set, query] = one
              const page = await poller.page(set, query)
              // Another that has kept nothing.
              const fresh = await new Poller(other.hub).page(set, query)
              assert.deepEqual(told(page), told(fresh))
            }
          } finally {
            for (const run of cleanups.reverse()) await run()
          }
        }),
        runs(engine.runs),
      )
    })
  })
}

describe('what polls keep', () => {
  function start(context: TestContext, log = new OpenLog({})): { poller: Poller; log: OpenLog } {
    return { poller: new Poller(hubOf(context, log)), log }
  }

  test('many who ask the same at once are one read, and none when nothing happened since', async (context) => {
    const { poller, log } = start(context)
    await log.append([{ channel: 'a', data: '1' }])
    const answers = await Promise.all(Array.from({ length: 50 }, async () => poller.answer('a')))
    assert.equal(new Set(answers).size, 1)
    await poller.answer('a')
    assert.equal(log.reads, 1)
  })

  test('what is asked otherwise is read by itself', async (context) => {
    const { poller, log } = start(context)
    const asked = [
      ['a', 'after=start'],
      ['b', 'after=start'],
      ['a,b', 'after=start'],
      ['*', 'after=start'],
      ['a', 'after=now'],
      ['a', 'limit=2'],
      ['a', 'last=2'],
      ['a', 'after=start&limit=2'],
      ['a', 'after=other-1'],
      ['a', 'after=other-2'],
    ] as const
    const etags = await Promise.all(asked.map(async ([parts, query]) => poller.answer(parts, query)))
    assert.equal(new Set(etags).size, asked.length)
    assert.equal(log.reads, asked.length)
  })

  test('a read that was asked for before an append answers nobody who comes after it', async (context) => {
    const { poller, log } = start(context)
    const release = log.hold()
    const before = poller.page('a')
    await log.append([{ channel: 'a', data: '1' }])
    const after = poller.page('a')
    release()
    assert.deepEqual([(await before).events.length, (await after).events.length], [0, 1])
    assert.equal((await poller.page('a')).events.length, 1)
    assert.equal(log.reads, 2, 'the second was kept, the first was not')
  })

  test('a failed read is told, and not kept', async (context) => {
    const { poller, log } = start(context)
    log.failure = new Error('away')
    await assert.rejects(async () => poller.answer('a'), /away/)
    log.failure = undefined
    assert.equal((await poller.answer('a')).status, 200)
  })

  test('a log that can’t tell whether it changed is read each time', async (context) => {
    class Mute extends OpenLog {
      override version(): number {
        return undefined as never
      }
    }
    const { poller, log } = start(context, new Mute({}))
    await poller.answer('a')
    await poller.answer('a')
    assert.equal(log.reads, 2)
  })

  test('beyond 4,096 pages all are forgotten', async (context) => {
    const { poller, log } = start(context)
    for (let index = 0; index < 4_096; index++) await poller.answer(`a${index}`)
    await poller.answer('a0')
    assert.equal(log.reads, 4_096)
    await poller.answer('a4096')
    await poller.answer('a0')
    assert.equal(log.reads, 4_098)
  })

  test('beyond 16 MiB all are forgotten', async (context) => {
    const { poller, log } = start(context)
    await log.append([{ channel: 'a', data: 'x'.repeat(1024 * 1024 - 1_000) }])
    for (let last = 1; last <= 16; last++) await poller.answer('a', `last=${last}`)
    await poller.answer('a', 'last=1')
    assert.equal(log.reads, 16)
    await poller.answer('a', 'last=17')
    await poller.answer('a', 'last=1')
    assert.equal(log.reads, 18)
  })

  test('a page that is kept holds no memory but its own, as it is and coded', async (context) => {
    const { poller, log } = start(context)
    await log.append([{ channel: 'a', data: 'x'.repeat(2_000) }])
    for (const headers of [{}, { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'br' }]) {
      const { body } = await poller.answer('a', undefined, headers)
      assert.ok(body instanceof Uint8Array)
      assert.equal(body.buffer.byteLength, body.length, JSON.stringify(headers))
    }
  })

  test('what was asked counts too: many long lists of names are no way to fill the memory', async (context) => {
    const { poller, log } = start(context)
    const names = Array.from({ length: 60 }, (_, index) => `${index}${'x'.repeat(250)}`).join(',')
    const longest = names.length + 60
    const fit = Math.floor((16 * 1024 * 1024) / (names.length + 500))
    for (let index = 0; index < fit; index++) await poller.answer(`${names},a${index}`)
    await poller.answer(`${names},a0`)
    assert.equal(log.reads, fit)
    for (let index = fit; index * longest < 17 * 1024 * 1024; index++)
      await poller.answer(`${names},a${index}`)
    const { reads } = log
    await poller.answer(`${names},a0`)
    assert.equal(log.reads, reads + 1)
  })

  test('what a page leaves when it is replaced counts no more', async (context) => {
    const { poller, log } = start(context)
    for (let round = 0; round < 40; round++) {
      await log.append([{ channel: 'a', data: 'x'.repeat(1024 * 1024 - 1_000) }])
      await poller.answer('a', 'last=1')
      await poller.answer('a', 'last=1')
    }
    assert.equal(log.reads, 40)
  })

  test('a page is coded once for all who want it so', async (context) => {
    const { poller, log } = start(context)
    await log.append([{ channel: 'a', data: 'x'.repeat(2_000) }])
    const wanted = { 'accept-encoding': 'gzip' }
    const one = await poller.answer('a', undefined, wanted)
    assert.equal(one.headers['content-encoding'], 'gzip')
    assert.equal(await poller.answer('a', undefined, wanted), one)
  })

  test('a page that cannot be coded goes out as it is, and is coded for the next who asks', async (context) => {
    const { log } = start(context)
    let failures = 1
    const poller = new Poller(hubOf(context, log), async () => {
      if (failures-- > 0) throw new Error('no memory')
      return Buffer.from('coded')
    })
    await log.append([{ channel: 'a', data: 'x'.repeat(2_000) }])
    const wanted = { 'accept-encoding': 'gzip' }
    const first = await poller.answer('a', undefined, wanted)
    assert.deepEqual([first.status, first.headers['content-encoding']], [200, undefined])
    assert.match(String(first.body), /xxx/)
    const second = await poller.answer('a', undefined, wanted)
    assert.deepEqual([second.headers['content-encoding'], String(second.body)], ['gzip', 'coded'])
    assert.equal(log.reads, 1)
  })

  test('what a page is in each coding counts too', async (context) => {
    const { log } = start(context)
    const poller = new Poller(hubOf(context, log), async () => Buffer.alloc(1024 * 1024))
    await log.append([{ channel: 'a', data: 'x'.repeat(2_000) }])
    for (let last = 1; last <= 6; last++)
      for (const coding of ['br', 'gzip'])
        await poller.answer('a', `last=${last}`, { 'accept-encoding': coding })
    await poller.answer('a', 'last=1')
    assert.equal(log.reads, 6)
    for (let last = 7; last <= 8; last++)
      for (const coding of ['br', 'gzip'])
        await poller.answer('a', `last=${last}`, { 'accept-encoding': coding })
    await poller.answer('a', 'last=1')
    assert.equal(log.reads, 9)
  })

  test('what a page in a coding leaves when it is replaced counts no more', async (context) => {
    const { log } = start(context)
    const poller = new Poller(hubOf(context, log), async () => Buffer.alloc(1024 * 1024))
    const wanted = { 'accept-encoding': 'gzip' }
    for (let round = 0; round < 40; round++) {
      await log.append([{ channel: 'a', data: 'x'.repeat(2_000) }])
      await poller.answer('a', 'last=1', wanted)
      await poller.answer('a', 'last=1', wanted)
    }
    assert.equal(log.reads, 40)
  })
})
