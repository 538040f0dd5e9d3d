/** The type of the response: 9.2.3, and "extract a MIME type" of Fetch. */
import { same } from '../assert.ts'
import type { Case, Reasons } from '../case.ts'
import { HANG, soon, status, stream } from '../script.ts'

type Row = readonly [what: string, values: readonly string[], deviates?: Reasons]

const CHARSET: Reasons = { native: 'Chromium refuses a charset other than UTF-8' }

const accepted: readonly Row[] = [
  ['as registered', ['text/event-stream']],
  ['capitals', ['TEXT/EVENT-STREAM']],
  ['mixed case', ['Text/Event-Stream']],
  ['a semicolon', ['text/event-stream;']],
  ['a semicolon and blanks', ['text/event-stream ; ']],
  ['blanks around', [' \ttext/event-stream\t ']],
  ['a charset', ['text/event-stream;charset=utf-8']],
  ['a charset in capitals', ['text/event-stream; CHARSET=UTF-8']],
  ['a quoted charset', ['text/event-stream; charset="utf-8"']],
  ['another charset', ['text/event-stream;charset=windows-1252'], CHARSET],
  ['a charset that there is not', ['text/event-stream;charset=made-up'], CHARSET],
  ['a parameter', ['text/event-stream;boundary=x']],
  ['a parameter without a value', ['text/event-stream;x']],
  ['a broken parameter', ['text/event-stream;=;;"=']],
  ['parameters that look like types', ['text/event-stream; type=text/html']],
  ['a quoted comma', ['text/event-stream; a="b, text/html"']],
  ['twice', ['text/event-stream', 'text/event-stream']],
  ['after another type', ['text/html', 'text/event-stream']],
  ['after another type, in one line', ['text/html, text/event-stream']],
  ['before nonsense', ['text/event-stream', 'nonsense']],
  ['before */*', ['text/event-stream', '*/*']],
]

const refused: readonly Row[] = [
  ['text/plain', ['text/plain']],
  ['text/html', ['text/html; charset=utf-8']],
  ['application/json', ['application/json']],
  ['another main type', ['application/event-stream']],
  ['letters behind', ['text/event-streamx']],
  ['letters before', ['xtext/event-stream']],
  ['a word behind', ['text/event-stream bogus'], { native: 'Chromium reads no further than the blank' }],
  ['a word before', ['bogus text/event-stream']],
  ['a blank within', ['text /event-stream']],
  ['another hyphen', ['text/event_stream']],
  ['a suffix', ['text/event-stream+json']],
  ['a parameter of another type', ['text/plain; x=text/event-stream']],
  ['a quoted parameter before another type', ['text/event-stream;x="a",text/html']],
  ['a quoted comma', ['text/html; x="a, text/event-stream"']],
  ['only the main type', ['text']],
  ['*/*', ['*/*']],
  ['nonsense', ['nonsense']],
  ['empty', ['']],
  ['none', []],
  ['before another type', ['text/event-stream', 'text/html']],
  ['before another type, in one line', ['text/event-stream, text/html']],
]

/** What a careless expression would take ages for. */
const long: readonly Row[] = [
  ['a long list', [`text/event-stream${',a'.repeat(2000)},text/html`]],
  ['many quotes', [`text/event-stream${';x="a"'.repeat(2000)},text/html`]],
  ['many blanks', [`x${' '.repeat(8000)}text/event-stream`]],
]

const typed = (values: readonly string[]): string =>
  `HTTP/1.1 200 OK\r\nConnection: close\r\n${values.map((value) => `Content-Type:${value}\r\n`).join('')}\r\n`

export const contentTypeCases: readonly Case[] = [
  ...accepted.map(([what, values, deviates]): Case => ({
    name: `text/event-stream is accepted: ${what}`,
    statements: what.includes('charset') ? [20, 23] : [20],
    deviates,
    answers: [[typed(values), 'data: é\n\n', HANG]],
    run: async (kit) => {
      const told = kit.watch()
      await Promise.race([told.nth('message'), told.nth('error')])
      same(told.notes, ['open 1', 'message é'])
    },
  })),
  ...[...refused, ...long].map(([what, values, deviates]): Case => ({
    name: `any other type is final: ${what}`,
    statements: [22, 32],
    deviates,
    // It ends, since browsers look at the first bytes of what has no type before they say a word.
    answers: [[typed(values), 'retry: 10\ndata: a\n\n'], stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      await kit.quiet(150)
      same(told.notes, ['error 2'])
      same((await kit.log()).requests.length, 1, 'requests')
    },
  })),
  {
    name: 'another type is final on a reconnection, too',
    statements: [22],
    answers: [soon('data: a\n\n'), [typed(['text/html']), 'x'], stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error', 2)
      await kit.quiet(150)
      same(told.notes, ['open 1', 'message a', 'error 0', 'error 2'])
    },
  },
  {
    name: 'the name of the header may be in any case',
    statements: [20],
    answers: [['HTTP/1.1 200 OK\r\ncONTENT-tYPE: text/event-stream\r\n\r\ndata: a\n\n', HANG]],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
    },
  },
  {
    name: 'a status that is final is so with a type that is right, and the other way round',
    statements: [21, 22],
    answers: ({ path }) => status(path === 'a' ? 404 : 204, { 'Content-Type': 'text/event-stream' }),
    run: async (kit) => {
      const watches = [kit.watch(kit.url('a')), kit.watch(kit.url('b'))]
      await Promise.all(watches.map((told) => told.nth('error')))
      same(
        watches.flatMap(({ notes }) => notes),
        ['error 2', 'error 2'],
      )
    },
  },
]
