/** The log of `downlink serve`, on a sink in memory: which records there are, what is in them, and how many. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { errorRecord } from '../src/cli/error-record.ts'
import { Journal } from '../src/cli/journal.ts'
import { LogBudget } from '../src/cli/log-budget.ts'
import { type LogLevel, shownConfig } from '../src/cli/serve-log.ts'
import { ascii } from '../src/cli/stderr-sink.ts'
import type { RequestRecord } from '../src/http/observe.ts'

class Lines {
  readonly all: string[] = []
  closed = 0
  drained: ((lost: number) => void) | undefined

  write(line: string): void {
    this.all.push(line)
  }

  onDrain(listener: (lost: number) => void): void {
    this.drained = listener
  }

  close(): Promise<void> {
    this.closed++
    return Promise.resolve()
  }

  get records(): readonly Record<string, unknown>[] {
    return this.all.map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** `info refused`, … */
  get messages(): readonly string[] {
    return this.records.map(({ level, msg }) => `${String(level)} ${String(msg)}`)
  }
}

function journalOn(level: LogLevel): { journal: Journal; lines: Lines } {
  const lines = new Lines()
  return { journal: new Journal(level, lines), lines }
}

const record = (status: number, more: Partial<RequestRecord> = {}): RequestRecord => {
  return { id: 'a.1', method: 'GET', path: '/channels/a', status, address: '192.0.2.1', ms: 1, ...more }
}

describe('the journal', () => {
  const refusals: readonly RequestRecord[] = [
    record(400, { code: 'invalid-channel' }),
    record(404, { code: 'not-found' }),
    record(401, { code: 'unauthorized' }),
    record(403, { code: 'forbidden' }),
    record(200, { code: 'overload' }),
    record(503, { code: 'draining' }),
    record(503),
    record(500, { code: 'internal' }),
  ]
  for (const [level, messages] of [
    ['silent', []],
    ['error', []],
    ['warn', Array<string>(4).fill('warn refused')],
    ['info', ['info refused', 'info refused', ...Array<string>(4).fill('warn refused')]],
    [
      'debug',
      [
        'debug refused',
        'debug refused',
        'info refused',
        'info refused',
        ...Array<string>(4).fill('warn refused'),
      ],
    ],
  ] as const)
    test(`at ${level} tells ${messages.length} of ${refusals.length} refusals`, () => {
      const { journal, lines } = journalOn(level)
      for (const one of refusals) journal.observe.refused?.(one)
      assert.deepEqual(lines.messages, messages)
    })

  test('wants to hear of other requests at debug only, so that they cost nothing', () => {
    for (const level of ['silent', 'error', 'warn', 'info'] as const)
      assert.equal(journalOn(level).journal.observe.answered, undefined)
    const { journal, lines } = journalOn('debug')
    journal.observe.answered?.(record(200))
    assert.deepEqual(lines.messages, ['debug answered'])
  })

  test('wants to hear of no refusal that it would not tell', () => {
    for (const level of ['silent', 'error'] as const)
      assert.equal(journalOn(level).journal.observe.refused, undefined)
  })

  test('tells each refusal with all of its record, and the time', () => {
    const { journal, lines } = journalOn('info')
    journal.observe.refused?.(record(403, { code: 'forbidden', subject: 'ada' }))
    const [{ time, ...rest } = { time: '' }] = lines.records
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(rest, {
      level: 'info',
      msg: 'refused',
      id: 'a.1',
      method: 'GET',
      path: '/channels/a',
      status: 403,
      code: 'forbidden',
      address: '192.0.2.1',
      subject: 'ada',
      ms: 1,
    })
  })

  test('leaves refusals out that come too often, and says each minute how many and whose', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { journal, lines } = journalOn('info')
    for (let n = 0; n < 1_000; n++) journal.observe.refused?.(record(401, { code: 'unauthorized' }))
    journal.observe.refused?.(record(401, { code: 'unauthorized', address: '192.0.2.2' }))
    journal.observe.refused?.(record(403, { code: 'forbidden' }))
    assert.equal(lines.all.length, 12)
    t.mock.timers.tick(60_000)
    const { level, msg, count, most } = lines.records[12] ?? {}
    assert.deepEqual(
      { level, msg, count, most },
      {
        level: 'warn',
        msg: 'left out',
        count: 990,
        most: [{ kind: 'unauthorized', address: '192.0.2.1', count: 990 }],
      },
    )
    journal.observe.refused?.(record(401, { code: 'unauthorized' }))
    assert.equal(lines.messages[13], 'info refused')
    t.mock.timers.tick(60_000)
    assert.equal(lines.all.length, 14)
    await journal.close()
    assert.equal(lines.all.length, 14)
  })

  test('leaves nothing out at debug', () => {
    const { journal, lines } = journalOn('debug')
    for (let n = 0; n < 1_000; n++) journal.observe.refused?.(record(401, { code: 'unauthorized' }))
    assert.equal(lines.all.length, 1_000)
  })

  test('says at its end what it has left out, and once there is room what nobody took', async () => {
    const { journal, lines } = journalOn('info')
    for (let n = 0; n < 11; n++) journal.observe.refused?.(record(401, { code: 'unauthorized' }))
    lines.drained?.(3)
    await Promise.all([journal.close(), journal.close()])
    assert.deepEqual(lines.messages.slice(10), ['warn lines lost', 'warn left out'])
    assert.equal(lines.closed, 1)
  })

  test('tells faults with their stack and causes, and not without end', () => {
    const { journal, lines } = journalOn('error')
    const cause = Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
    journal.failed(new TypeError('nothing works', { cause }))
    const [{ level, msg, error } = {}] = lines.records
    assert.deepEqual([level, msg], ['error', 'failed'])
    const { stack, ...rest } = error as { stack: string; cause: { stack: string } }
    assert.match(stack, /^at .*cli-journal\.test/)
    assert.deepEqual(
      { ...rest, cause: { ...rest.cause, stack: '' } },
      {
        name: 'TypeError',
        message: 'nothing works',
        cause: { name: 'Error', code: 'ENOSPC', message: 'the disk is full', stack: '' },
      },
    )
    for (let n = 0; n < 100; n++) journal.failed(new TypeError('again'))
    assert.equal(lines.all.length, 10)
  })
})

describe('the record of an error', () => {
  test('has no members of its own but the code: they may hold what it was given', () => {
    const error = Object.assign(new Error('wrong'), {
      code: 'E',
      token: 'SECRET',
      headers: { cookie: 'SECRET' },
    })
    assert.doesNotMatch(JSON.stringify(errorRecord(error)), /SECRET/)
    assert.doesNotMatch(JSON.stringify(errorRecord(Object.assign(error, { code: { SECRET: 1 } }))), /SECRET/)
    for (const thrown of ['SECRET', { SECRET: 'SECRET' }, ['SECRET'], undefined, null, 7])
      assert.doesNotMatch(JSON.stringify(errorRecord(thrown)), /SECRET/)
  })

  test('is bounded, whatever the error', () => {
    let error = new Error('x'.repeat(1e6))
    for (let depth = 0; depth < 20; depth++) error = new Error('y'.repeat(1e6), { cause: error })
    Object.assign(error, { name: 'z'.repeat(1e6), code: 'c'.repeat(1e6), stack: `    at ${'s'.repeat(1e6)}` })
    assert.ok(JSON.stringify(errorRecord(error)).length < 20_000)
    const ring = new Error('ring')
    ring.cause = ring
    assert.ok(JSON.stringify(errorRecord(ring)).length < 20_000)
    Object.assign(error, { name: Symbol('n'), message: { toString: () => 'm' }, stack: 7 })
    assert.equal(errorRecord(error).message, 'm')
  })
})

describe('the budget', () => {
  test('never writes more than 300 lines a minute, and counts the rest, whoever asks', (t: TestContext) => {
    const budget = new LogBudget()
    let written = 0
    for (let n = 0; n < 100_000; n++)
      if (budget.take('unauthorized', `10.${n >> 16}.${n >> 8}.${n}`)) written++
    assert.equal(written, 300)
    const left = budget.turn()
    assert.equal(left?.count, 100_000 - 300)
    assert.equal(left.most.length, 10)
    // Beyond the first 1,000 addresses they are counted together.
    assert.deepEqual(left.most[0], { kind: 'unauthorized', count: 99_000 })
    assert.equal(budget.turn(), undefined)
    t.diagnostic(`${written} written`)
  })
})

describe('a line of the log', () => {
  test('is one line of ASCII, and the record that went in, whatever is in it', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\r\n{"level":"info"}',
        '"},{"',
        '\\',
        '\u2028\u2029',
        '\u001b[2J',
        '\u009b31m',
        '\u202e',
        '\ud800',
      ),
    )
    const { journal, lines } = journalOn('debug')
    fc.assert(
      fc.property(nasty, nasty, (subject, path) => {
        journal.observe.refused?.(record(403, { code: 'forbidden', subject, path }))
        const line = ascii(lines.all.splice(0).join(''))
        assert.match(line, /^[\x20-\x7e]+\n$/)
        const parsed = JSON.parse(line) as RequestRecord
        assert.deepEqual([parsed.subject, parsed.path], [subject, path])
      }),
    )
  })
})

test('the configuration is shown by name: what is not named is not shown', () => {
  const secrets = { secret: 'SECRET', ticketSecret: 'SECRET' }
  const settings = {
    log: { engine: 'sqlite', path: '/var/log.db' },
    retention: [{ channels: '**', count: Infinity, age: 5 }],
    logLevel: 'info',
    limits: { streams: Infinity, body: 5 },
    jwt: { secretEnv: 'NAME', jwksUrl: 'https://keys.example/set?key=SECRET', ...secrets },
    ...secrets,
  } as const
  assert.deepEqual(JSON.parse(JSON.stringify(shownConfig(settings))), {
    log: 'sqlite:/var/log.db',
    retention: [{ channels: '**', count: 'none', age: 5 }],
    logLevel: 'info',
    limits: { streams: 'none', body: 5 },
    jwt: { secretEnv: 'NAME', jwksUrl: 'https://keys.example/set' },
  })
})
