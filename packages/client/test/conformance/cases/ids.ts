/** The last event ID: 9.2.4 and 9.2.6. */
import { ok, same } from '../assert.ts'
import type { Case, Kit, Reasons } from '../case.ts'
import { FIN, HANG, RESET, soon, stream } from '../script.ts'
import { row, table } from './parsing.ts'

/** The `Last-Event-ID` headers of all requests. */
const idsOf = async (kit: Kit): Promise<readonly (string | undefined)[]> =>
  (await kit.log()).requests.map(({ headers }) => headers['last-event-id'])

/** UTF-8 bytes as Latin-1, as the server notes them. */
const utf8 = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text))

const sent = (what: string, id: string, deviates?: Reasons): Case => ({
  name: `an id is sent as its UTF-8 bytes: ${what}`,
  statements: [17],
  deviates,
  answers: [soon(`id: ${id}\ndata: a\n\n`), stream('data: b\n\n', HANG)],
  run: async (kit) => {
    const told = kit.watch()
    await told.nth('message', 2)
    same(await idsOf(kit), [undefined, utf8(id)])
    same(
      told.whole.map(([, , lastEventId]) => lastEventId),
      [id, id],
    )
  },
})

/** Whatever is sent: the source lives, keeps the id, and asks again. */
const survived = (what: string, id: string, deviates?: Reasons): Case => ({
  name: `any id is survived: ${what}`,
  statements: [17, 31, 50],
  deviates,
  answers: [soon(`id: ${id}\ndata: a\n\n`), stream('data: b\n\nid: fine\ndata: c\n\n', HANG)],
  run: async (kit) => {
    const told = kit.watch()
    await told.nth('message', 3)
    same(told.whole, [
      ['message', 'a', id],
      ['message', 'b', id],
      ['message', 'c', 'fine'],
    ])
  },
})

interface Journey {
  readonly what: string
  readonly statements: readonly number[]
  /** The body of each connection. */
  readonly bodies: readonly string[]
  /** Of each request, the one behind the last body included. */
  readonly ids: readonly (string | undefined)[]
}

const journeys: readonly Journey[] = [
  { what: 'after one', statements: [17], bodies: ['id: 1\ndata: a\n\n'], ids: [undefined, '1'] },
  {
    what: 'none without one',
    statements: [16],
    bodies: ['data: a\n\n', 'data: b\n\n'],
    ids: [undefined, undefined, undefined],
  },
  { what: 'of an event without data', statements: [49, 51], bodies: ['id: 1\n\n'], ids: [undefined, '1'] },
  {
    what: 'the last one',
    statements: [17, 50],
    bodies: ['id: 1\nid: 2\n\nid: 3\ndata: a\n\n'],
    ids: [undefined, '3'],
  },
  {
    what: 'not of an unfinished event',
    statements: [51, 54],
    bodies: ['id: 1\ndata: a\n\nid: 2\ndata: b\n'],
    ids: [undefined, '1'],
  },
  {
    what: 'not of an unfinished line',
    statements: [51, 54],
    bodies: ['id: 1\n\nid: 2'],
    ids: [undefined, '1'],
  },
  {
    what: 'none when the only one is unfinished',
    statements: [16, 51],
    bodies: ['id: 1\ndata: a\n'],
    ids: [undefined, undefined],
  },
  {
    what: 'kept over events without one',
    statements: [52],
    bodies: ['id: 1\ndata: a\n\ndata: b\n\n'],
    ids: [undefined, '1'],
  },
  {
    what: 'kept over connections without one',
    statements: [52],
    bodies: ['id: 1\n\n', 'data: a\n\n', ''],
    ids: [undefined, '1', '1', '1'],
  },
  {
    what: 'replaced on a later connection',
    statements: [17],
    bodies: ['id: 1\n\n', 'id: 2\n\n'],
    ids: [undefined, '1', '2'],
  },
  {
    what: 'none after an empty one',
    statements: [16, 50],
    bodies: ['id: 1\n\nid:\n\n'],
    ids: [undefined, undefined],
  },
  {
    what: 'none after one without a colon',
    statements: [16, 50],
    bodies: ['id: 1\n\nid\n\n'],
    ids: [undefined, undefined],
  },
  {
    what: 'none after one that is a space',
    statements: [16, 50],
    bodies: ['id: 1\n\nid: \n\n'],
    ids: [undefined, undefined],
  },
  {
    what: 'taken back on a later connection',
    statements: [16, 50, 52],
    bodies: ['id: 1\n\n', 'id\ndata: a\n\n', ''],
    ids: [undefined, '1', undefined, undefined],
  },
  {
    what: 'not one with a NUL',
    statements: [50],
    bodies: ['id: 1\n\nid: 2\0\n\nid: \0\n\n'],
    ids: [undefined, '1'],
  },
  { what: '0', statements: [16, 17], bodies: ['id: 0\n\n'], ids: [undefined, '0'] },
]

const CONTROL: Reasons = {}

export const idCases: readonly Case[] = [
  ...journeys.map(({ what, statements, bodies, ids }): Case => ({
    name: `Last-Event-ID is that of the last finished event: ${what}`,
    statements,
    answers: [...bodies.map((body) => soon(body)), stream(HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('open', bodies.length + 1)
      same(await idsOf(kit), ids)
    },
  })),
  sent('ASCII', 'abc-123_./~'),
  sent('punctuation', `!#$%&'()*+,/:;<=>?@[\\]^\`{|}"`),
  sent('two bytes', 'é'),
  sent('three bytes', '…'),
  sent('four bytes', '😀'),
  sent('mixed', 'a é … 😀 z'),
  sent('C1 controls', 'a\u0080\u009fb'),
  sent('U+00FF', 'ÿ'),
  sent('a byte order mark within', 'a\uFEFFb'),
  sent('U+FFFD', '\uFFFD'),
  sent('what looks like an escape', '%C3%A9 \\u00e9 &eacute; =?utf-8?q?=C3=A9?='),
  sent('blanks within', 'a  b'),
  sent('long', 'x'.repeat(4000)),
  sent('long and not ASCII', 'é'.repeat(2000)),
  survived('blanks around', '  a  '),
  survived('only blanks', '   '),
  survived('a tab', '\t'),
  survived('a tab within', 'a\tb'),
  survived('U+0001', 'a\u0001b', CONTROL),
  survived('U+001F', '\u001f', CONTROL),
  survived('U+007F', '\u007f', CONTROL),
  survived('escape sequences', '\u001b[31m', CONTROL),
  survived('60 000 characters', 'x'.repeat(60_000)),
  ...table(
    'the id is that of its event, or of the last one before',
    [50, 51, 52, 57],
    [
      row('kept', 'id: 1\ndata: a\n\ndata: b\n\n', ['message', 'a', '1'], ['message', 'b', '1']),
      row('behind the data', 'data: a\nid: 1\n\n', ['message', 'a', '1']),
      row('the last of an event', 'id: 1\nid: 2\ndata: a\n\n', ['message', 'a', '2']),
      row(
        'taken back',
        'id: 1\ndata: a\n\nid\ndata: b\n\nid: 2\n\nid:\ndata: c\n\n',
        ['message', 'a', '1'],
        ['message', 'b', ''],
        ['message', 'c', ''],
      ),
      row(
        'one with a NUL is ignored',
        'id: 1\ndata: a\n\nid: 2\0x\ndata: b\n\n',
        ['message', 'a', '1'],
        ['message', 'b', '1'],
      ),
      row('a NUL behind a good one', 'id: 1\nid: \0\ndata: a\n\n', ['message', 'a', '1']),
      row('blanks', 'id:  1 \ndata: a\n\n', ['message', 'a', ' 1 ']),
      row('not ASCII', 'id: …é😀\ndata: a\n\n', ['message', 'a', '…é😀']),
      row('a colon', 'id: a:b\ndata: a\n\n', ['message', 'a', 'a:b']),
      row('of an event without data', 'id: 1\n\nid: 2\n\ndata: a\n\n', ['message', 'a', '2']),
    ],
  ),
  {
    name: 'an event of a later connection that has no id has the one before',
    statements: [52],
    answers: [soon('id: 1\ndata: a\n\n'), stream('data: b\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.whole, [
        ['message', 'a', '1'],
        ['message', 'b', '1'],
      ])
    },
  },
  {
    name: 'the id is kept over attempts that fail',
    statements: [17, 31],
    answers: [soon('id: 1\n\n'), [RESET], [FIN], stream(HANG)],
    run: async (kit) => {
      await kit.watch().nth('open', 2)
      same(await idsOf(kit), [undefined, '1', '1', '1'])
    },
  },
  {
    name: 'there is one Last-Event-ID header, not several',
    statements: [17],
    answers: [soon('id: 1\n\n'), soon('id: 2\n\n'), stream(HANG)],
    run: async (kit) => {
      await kit.watch().nth('open', 3)
      for (const { head } of (await kit.log()).requests.slice(1)) {
        same(head.match(/^last-event-id:/gim)?.length, 1, head)
      }
    },
  },
  {
    name: 'no id can add a header or a request',
    statements: [17],
    answers: [soon('id: a\r\nX-Added: 1\r\n\r\nid: b\u0085X-Added: 2\n\n'), stream(HANG)],
    run: async (kit) => {
      await kit.watch().nth('open', 2)
      const { requests } = await kit.log()
      ok(
        requests.every(({ headers }) => headers['x-added'] === undefined),
        'no header was added',
      )
      same(requests[1]?.headers['last-event-id'], utf8('b\u0085X-Added: 2'))
    },
  },
]
