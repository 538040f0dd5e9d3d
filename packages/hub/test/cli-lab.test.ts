/** `downlink lab` as people run it, and what it prints. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { labCsv, labText, presetsText, progressLine } from '../src/cli/lab-print.ts'
import {
  plainNumber,
  rateValue,
  settingsOfFlags,
  shortTimeValue,
  techniquesValue,
} from '../src/cli/lab-settings.ts'
import { advise } from '../src/lab/advice.ts'
import { LAB_PRESETS } from '../src/lab/presets.ts'
import type { LabReport, TechniqueReport } from '../src/lab/report.ts'
import { result, run, serving } from './cli/command.ts'

const QUICK = ['--seconds', '2', '--clients', '3', '--rate', '20', '--poll-every', '200ms', '--no-cpu']

function figures(changes: Partial<TechniqueReport>): TechniqueReport {
  return {
    requests: 100,
    empty: 25,
    refused: 0,
    connections: 10,
    mostConnections: 10,
    bytesIn: { head: 40_000, body: 0 },
    bytesOut: { head: 20_000, body: 30_000 },
    crowd: {
      clients: 10,
      received: 200,
      missed: 0,
      twice: 0,
      delays: { count: 200, counts: [200], p50: 500, p99: 990, max: 1001 },
    },
    cpu: { perDelivery: 40, plusMinus: 4, perSecond: 0.8 },
    ...changes,
  }
}

const REPORT: LabReport = {
  id: 'run-1',
  channel: 'lab.run-1',
  state: 'done',
  settings: { ...LAB_PRESETS.dashboard, techniques: ['poll', 'sse'], clients: 10 },
  started: 1_763_874_398_123.4,
  elapsed: 20_000,
  published: 20,
  late: { events: 1, crowd: 2 },
  techniques: {
    poll: figures({}),
    sse: figures({ requests: 10, empty: 0, cpu: { perDelivery: 3, plusMinus: 9, perSecond: 0.06 } }),
  },
}

describe('what it prints', () => {
  const place = { place: 'a hub of its own', task: 'dashboard', width: 100 }
  const text = labText(REPORT, advise(REPORT), place)

  test('a table, a column for each technique', () => {
    const lines = text.split('\n')
    assert.match(
      lines[0] ?? '',
      /^dashboard: 1 event a second, evenly, of 1,000 bytes, 10 clients of each, a poll every 2 s,/,
    )
    const cells = (name: string): string[] =>
      (lines.find((line) => line.startsWith(name)) ?? '')
        .slice(name.length)
        .trim()
        .split(/\s{3,}/)
    assert.deepEqual(cells(' '), ['polling', 'SSE'])
    assert.deepEqual(cells('requests, of all clients'), ['100', '10'])
    assert.deepEqual(cells('  of them empty'), ['25 %', '0 %'])
    assert.deepEqual(cells('for each event a client got: up'), ['200 B', '200 B'])
    assert.deepEqual(cells('  down, heads'), ['100 B', '100 B'])
    assert.deepEqual(cells('  down, bodies'), ['150 B', '150 B'])
    assert.deepEqual(cells('half of the events within'), ['500 ms', '500 ms'])
    assert.deepEqual(cells('99 % within'), ['990 ms', '990 ms'])
    assert.ok(lines.every((line) => line.length <= 100))
  })

  test('CPU with what it may be off by; what is below that is no figure', () => {
    assert.match(text, /hub's CPU for each event a client got +40 ± 4 µs +< 12 µs\n/)
  })

  test('the recommendation, with why, where the lines cross, and what is not known', () => {
    assert.match(text, /\n(?:Polling|Server-Sent Events) fits? this task/)
    for (const title of ['Why:', 'Where the lines cross:', 'Not known:']) assert.ok(text.includes(title))
    assert.ok(!text.includes('\u00A0'))
  })

  test('of a run that was stopped, when; of one without CPU, why', () => {
    const stopped = labText({ ...REPORT, state: 'stopped' }, advise(REPORT), { ...place, noCpu: 'it is far' })
    assert.match(stopped, /Stopped after 20 s/)
    assert.match(stopped, /CPU is not shown: it is far\./)
  })

  test('refusals only when there were any', () => {
    assert.ok(!text.includes('refused'))
    const refused = { ...REPORT, techniques: { ...REPORT.techniques, sse: figures({ refused: 7 }) } }
    assert.match(labText(refused, advise(refused), place), / {2}refused +0 +7\n/)
  })

  test('nothing that was not measured', () => {
    const none = figures({
      requests: 0,
      crowd: { ...figures({}).crowd, received: 0, delays: { count: 0, counts: [], p50: 0, p99: 0, max: 0 } },
    })
    const report = { ...REPORT, techniques: { poll: none, sse: none } }
    assert.match(labText(report, advise(report), place), /Nothing can be recommended/)
  })

  test('CSV: a line for each technique, with what was asked for', () => {
    const [head, poll, sse, rest] = labCsv(REPORT).split('\n')
    assert.equal(head?.split(',').length, poll?.split(',').length)
    assert.match(head ?? '', /^technique,rate,shape,size,clients,poll_every_ms,/)
    assert.match(
      poll ?? '',
      /^poll,1,steady,1000,10,2000,0,false,0,20000,20,100,25,0,10,40000,0,20000,30000,200,0,0,500,990,1001,40,4,0.8$/,
    )
    assert.match(sse ?? '', /^sse,/)
    assert.equal(rest, '')
  })

  test('progress, and the tasks there are', () => {
    assert.equal(
      progressLine({ ...REPORT, state: 'running', elapsed: 3_900, published: 1 }),
      '3 s of 20 s, 1 event …',
    )
    assert.match(presetsText(), /^ {2}notifications {2}an event every 20 s of 300 bytes/)
    assert.equal(presetsText().split('\n').length, 5)
  })
})

describe('what it is told', () => {
  test('flags change what the preset says', () => {
    const settings = settingsOfFlags({
      preset: 'orders',
      rate: 2,
      buffering: true,
      cpu: false,
      techniques: ['sse'],
    })
    const { orders } = LAB_PRESETS
    assert.deepEqual(settings, {
      ...orders,
      techniques: ['sse'],
      events: { ...orders.events, rate: 2 },
      network: { ...orders.network, buffering: true },
      cpu: false,
    })
  })

  test('elsewhere there are fewer clients, unless it is said', () => {
    assert.equal(settingsOfFlags({}, 30).clients, 30)
    assert.equal(settingsOfFlags({ clients: 200 }, 30).clients, 200)
  })

  test('values as people write them', () => {
    assert.deepEqual([rateValue('2'), rateValue('2/s'), rateValue('6/m')], [2, 2, 0.1])
    assert.deepEqual(
      [shortTimeValue('200ms'), shortTimeValue('1.5s'), shortTimeValue('1m'), shortTimeValue('0')],
      [200, 1500, 60_000, 0],
    )
    assert.deepEqual(techniquesValue('ws, polling,sse'), ['websocket', 'poll', 'sse'])
    for (const text of ['', '5h', '-1', 'x']) {
      assert.throws(() => rateValue(text))
      assert.throws(() => shortTimeValue(text))
      assert.throws(() => plainNumber(text))
    }
  })

  for (const [args, message] of [
    [['--rate', '1000'], 'downlink: Expected --rate to be a number from 0.0166 to 100, got 1000\n'],
    [
      ['--clients', '500', '--poll-every', '100ms'],
      /^downlink: Expected --poll-every to make at most 2500 polls a second of all --clients/,
    ],
    [
      ['--poll-every', '5'],
      'downlink: --poll-every 5: Expected a time such as 200ms, 5s or 1m (see `downlink lab --help`)\n',
    ],
    [['--preset', 'x'], /notifications, chat, dashboard, orders, ticks/],
    [
      ['--hub', 'http://127.0.0.1:1', ...QUICK],
      /^downlink: No hub answers at http:\/\/127.0.0.1:1 \(.*\)\n$/,
    ],
  ] as const) {
    test(`${args.join(' ')} is refused in a line`, async (t) => {
      const { code, stderr, stdout } = await result(t, ['lab', ...args])
      assert.deepEqual([code, stdout], [1, ''])
      if (typeof message === 'string') assert.equal(stderr, message)
      else assert.match(stderr, message)
      assert.equal(stderr.split('\n').length, 2)
    })
  }
})

test('on a hub of its own: a table and a recommendation', async (t) => {
  const { code, stderr, stdout } = await result(t, ['lab', '--preset', 'chat', ...QUICK])
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(
    stdout,
    /^chat: 20 events a second, evenly, of 80 bytes, 3 clients of each, a poll every 200 ms, for 2 s\./,
  )
  assert.match(stdout, /\nmissed +0 +0 +0 +0\n/)
  assert.match(stdout, /fits? this task/)
})

test('on another hub: events go there by HTTP, the crowd counts at its own sockets, and the channel is erased', async (t) => {
  const { url } = await serving(t, ['--port', '0'])
  const { code, stderr, stdout } = await result(t, ['lab', '--hub', url, '--json', ...QUICK])
  assert.deepEqual([code, stderr], [0, ''])
  const { report, advice } = JSON.parse(stdout) as { report: LabReport; advice: { choice: string } }
  assert.equal(report.state, 'done')
  assert.ok(report.published >= 30, `${report.published}`)
  for (const technique of ['long-poll', 'sse', 'websocket'] as const) {
    const { crowd } = report.techniques[technique] ?? assert.fail()
    assert.deepEqual([crowd.received, crowd.missed, crowd.twice], [3 * report.published, 0, 0], technique)
  }
  assert.equal(report.techniques.sse?.cpu, undefined)
  assert.ok(advice.choice)
  const { channels } = (await (await fetch(`${url}/channels?match=lab.**`)).json()) as {
    channels: { events: number }[]
  }
  assert.ok(channels.length > 0 && channels.every(({ events }) => events === 0))
})

test('who may not erase there is told before anything is published', async (t) => {
  const secret = { DOWNLINK_SECRET: 'a'.repeat(48) }
  const { url } = await serving(t, ['--port', '0'], { env: secret })
  const made = await result(
    t,
    ['token', 'make', '--read', 'lab.**', '--publish', 'lab.**', '--inspect'],
    '',
    { env: secret },
  )
  const { code, stderr } = await result(t, ['lab', '--hub', url, ...QUICK], '', {
    env: { DOWNLINK_TOKEN: made.stdout.trim() },
  })
  assert.equal(code, 1)
  assert.match(stderr, /drop.*403/)
})

test('Ctrl-C: what was measured so far is printed, and the channel is erased', async (t) => {
  const { url } = await serving(t, ['--port', '0'])
  const command = run(t, ['lab', '--hub', url, '--csv', ...QUICK, '--seconds', '300'])
  const channels = async (): Promise<readonly { name: string; events: number }[]> =>
    (
      (await (await fetch(`${url}/channels?match=lab.**`)).json()) as {
        channels: { name: string; events: number }[]
      }
    ).channels
  const ofRun = async (): Promise<number> =>
    (await channels()).find(({ name }) => !name.endsWith('-cpu'))?.events ?? 0
  while ((await ofRun()) < 5) await new Promise(setImmediate)
  command.child.kill('SIGINT')
  assert.equal(await command.ended, 130)
  assert.equal(command.stderr, '')
  assert.match(command.stdout, /^technique,.*\npoll,20,/)
  assert.equal(await ofRun(), 0)
})

test('`downlink serve` has the Lab, unless it is told not to', async (t) => {
  const statusOf = async (args: readonly string[]): Promise<number> => {
    const { url } = await serving(t, ['--port', '0', ...args])
    return (await fetch(`${url}/lab/time`)).status
  }
  assert.equal(await statusOf([]), 200)
  assert.equal(await statusOf(['--no-lab']), 404)
})
