/** The reconnection time: 9.2.6, and the wait of 9.2.3. */
import { ok, same } from '../assert.ts'
import type { Case, Kit, Reasons } from '../case.ts'
import { FIN, HANG, STREAM_HEAD, gap, stream } from '../script.ts'
import type { Step } from '../script.ts'

/** Milliseconds from the end of the nth connection (from 0) to the next request. */
async function waitOf(kit: Kit, connection = 0): Promise<number> {
  const { requests } = await kit.log({ requests: connection + 2 })
  const [before, after] = requests.slice(connection)
  ok(before?.ended !== undefined && after, 'there was a reconnection')
  return after.at - before.ended
}

interface Waiting {
  readonly what: string
  readonly body: string | readonly Step[]
  readonly atLeast: number
  readonly atMost?: number
  readonly deviates?: Reasons
}

const waiting =
  (fact: string, statements: readonly number[]) =>
  ({ what, body, atLeast, atMost = 1800, deviates }: Waiting): Case => ({
    name: `${fact}: ${what}`,
    statements,
    deviates,
    answers: [[STREAM_HEAD, ...(typeof body === 'string' ? [body] : body)], stream(HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('open', 2)
      const waited = await waitOf(kit)
      // Timers may be a little early, and the clocks are two.
      ok(
        waited >= atLeast - 15 && waited <= atMost,
        `waited ${Math.round(waited)} ms, not ${atLeast} to ${atMost}`,
      )
    },
  })

/** Were one of these taken, the wait would be shorter than what was said before, or far longer. */
const BOGUS: readonly (readonly [what: string, line: string])[] = [
  ['a letter behind', 'retry: 1x'],
  ['a letter before', 'retry: x1'],
  ['a sign', 'retry: +1'],
  ['a negative number', 'retry: -1'],
  ['a fraction', 'retry: 1.5'],
  ['an exponent', 'retry: 1e1'],
  ['a second space', 'retry:  1'],
  ['a space behind', 'retry: 1 '],
  ['a tab', 'retry:\t1'],
  ['a space within', 'retry: 1 2'],
  ['hexadecimal', 'retry: 0x1'],
  ['digits of another script', 'retry: ١'],
  ['full-width digits', 'retry: １'],
  ['a comma', 'retry: 1,2'],
  ['a separator', 'retry: 1_0'],
  ['a NUL', 'retry: 1\0'],
  ['words', 'retry: Infinity\nretry: NaN\nretry: null'],
  ['a name in capitals', 'Retry: 1\nRETRY: 1'],
  ['in a comment', ':retry: 1'],
]
const LONG_BOGUS: readonly (readonly [what: string, line: string])[] = [
  ['a letter behind a large number', 'retry: 60000x'],
  ['a sign before a large number', 'retry: +60000'],
  ['a large number with a space behind', 'retry: 60000 '],
]

export const retryCases: readonly Case[] = [
  ...[
    { what: '10', body: 'retry: 10\n\n', atLeast: 10, atMost: 900 },
    { what: '700', body: 'retry: 700\n\n', atLeast: 700, atMost: 1600 },
    { what: 'without a space', body: 'retry:700\n\n', atLeast: 700, atMost: 1600 },
    { what: 'leading zeros are no octal', body: 'retry: 000600\n\n', atLeast: 600, atMost: 1600 },
    { what: 'the last one', body: 'retry: 60000\nretry: 300\n\n', atLeast: 300 },
    { what: 'with data', body: 'retry: 300\ndata: a\n\n', atLeast: 300 },
    { what: 'at the end of its line, not of its event', body: 'retry: 300\n', atLeast: 300 },
    { what: 'CR', body: 'retry: 300\r', atLeast: 300 },
    { what: 'in two chunks', body: ['retry: 3', gap(30), '00\n\n'], atLeast: 300 },
  ].map(waiting('retry sets the reconnection time', [30, 53])),
  ...BOGUS.map(([what, line]) =>
    waiting(
      'retry that is not only digits is ignored',
      [53],
    )({
      what,
      body: `retry: 450\n${line}\n\n`,
      atLeast: 450,
    }),
  ),
  ...LONG_BOGUS.map(([what, line]) =>
    waiting(
      'retry that is not only digits is ignored',
      [53],
    )({ what, body: `retry: 150\n${line}\n\n`, atLeast: 150 }),
  ),
  ...['retry:', 'retry', 'retry: '].map((line) =>
    waiting(
      'retry without a number is ignored',
      [53],
    )({
      what: `"${line}"`,
      body: `retry: 450\n${line}\n\n`,
      atLeast: 450,
      deviates: { native: 'in Chromium it restores the time it began with' },
    }),
  ),
  waiting(
    'retry of an unfinished line is ignored',
    [53, 54],
  )({
    what: 'digits are missing, perhaps',
    body: 'retry: 450\nretry: 1',
    atLeast: 450,
  }),
  {
    name: 'the reconnection time is kept over connections',
    statements: [53],
    answers: [stream('retry: 300\n\n'), stream('data: a\n\n'), [FIN], stream(HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('open', 3)
      // Without it a browser would wait for three seconds or so.
      for (const connection of [0, 1, 2]) {
        const waited = await waitOf(kit, connection)
        ok(waited >= 285 && waited <= 2500, `waited ${waited} ms`)
      }
    },
  },
  {
    name: 'the reconnection time of one source is not that of another',
    statements: [53],
    answers: ({ path }) => (path === 'a' ? stream('retry: 10\n\n') : stream('retry: 60000\n\n')),
    run: async (kit) => {
      const [a, b] = [kit.watch(kit.url('a')), kit.watch(kit.url('b'))]
      await b.nth('error')
      await a.nth('open', 2)
      same(b.notes, ['open 1', 'error 0'])
    },
  },
  {
    name: 'without retry the reconnection time is a few seconds',
    statements: [30],
    answers: [stream('data: a\n\n'), stream(HANG)],
    run: async (kit) => {
      await kit.watch().nth('open', 2)
      const waited = await waitOf(kit)
      ok(waited > 900 && waited < 7000, `waited ${waited} ms`)
    },
  },
  ...[
    '60000',
    '2147483647',
    '2147483648',
    '4294967296',
    '9007199254740993',
    '9'.repeat(30),
    '9'.repeat(400),
  ].map((time): Case => ({
    name: `a long reconnection time is long, however large the number: ${time.length < 30 ? time : `${time.length} digits`}`,
    statements: [30, 53],
    answers: [stream(`retry: ${time}\n\n`), stream(HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      await kit.quiet(600)
      same([told.notes, told.source.readyState], [['open 1', 'error 0'], 0])
      same((await kit.log()).requests.length, 1, 'requests')
    },
  })),
  {
    name: 'retry: 0 is no busy loop: at most 20 connections within a second',
    statements: [30],
    skip: {
      native: 'Chromium connects again at once: some 90 times a second, or fewer when the machine is at work',
    },
    alone: true,
    answers: () => stream('retry: 0\n\n'),
    run: async (kit) => {
      const told = kit.watch()
      await kit.quiet(1000)
      told.source.close()
      const { requests } = await kit.log()
      ok(requests.length >= 2 && requests.length <= 20, `${requests.length} connections`)
    },
  },
]
