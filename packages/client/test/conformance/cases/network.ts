/** Connections that fail or end, and how HTTP frames a body: 9.2.3. */
import { ok, same } from '../assert.ts'
import type { Case, Reasons } from '../case.ts'
import { FIN, HANG, KEEP, OPEN_HEAD, RESET, STREAM_HEAD, gap, head, soon, stream } from '../script.ts'
import type { Step } from '../script.ts'

/** On a later attempt, since there the stream could say `retry`. */
const broken: readonly (readonly [what: string, steps: readonly Step[], deviates?: Reasons])[] = [
  ['end before the head', [FIN]],
  ['reset before the head', [RESET]],
  [
    'end within the head',
    ['HTTP/1.1 200 OK\r\nContent-Ty', gap(5), FIN],
    { chromium: 'Chromium takes a head that is cut off for a whole one' },
  ],
  ['reset within the head', ['HTTP/1.1 200 OK\r\nContent-Ty', gap(5), RESET]],
  ['nonsense', ['\u0001\u0002 nonsense\r\n\r\n', FIN]],
]

const open = (what: string, steps: readonly Step[], events: readonly string[]): Case => ({
  name: `a stream is read, and asked for again when it ends: ${what}`,
  statements: [20, 27, 30],
  answers: [steps, stream('data: again\n\n', HANG)],
  run: async (kit) => {
    const told = kit.watch()
    await told.nth('open', 2)
    await told.nth('message', events.length + 1)
    same(told.notes, [
      'open 1',
      ...events.map((data) => `message ${data}`),
      'error 0',
      'open 1',
      'message again',
    ])
  },
})

const chunk = (text: string): string => `${new TextEncoder().encode(text).length.toString(16)}\r\n${text}\r\n`
const chunkedHead = head(200, { 'Content-Type': 'text/event-stream', 'Transfer-Encoding': 'chunked' })
const sized = (length: number): string =>
  head(200, { 'Content-Type': 'text/event-stream', 'Content-Length': String(length) })
const zipped = head(200, { 'Content-Type': 'text/event-stream', 'Content-Encoding': 'gzip' })
const body = 'retry: 10\ndata: a\n\ndata: b\n\n'

/** What no request can be made of, on any attempt. */
const FUTILE = [
  'ftp://127.0.0.1/',
  'about:blank',
  'mailto:somebody@example.org',
  'javascript:void 0',
  'made-up:x',
  'ws://127.0.0.1/',
]

export const networkCases: readonly Case[] = [
  {
    name: 'a URL with a user and a password is asked for',
    statements: [12],
    deviates: {
      chromium: 'Chromium makes no request of such a URL',
      node: 'its fetch makes no request of such a URL',
    },
    answers: [stream('data: a\n\n', HANG)],
    run: async (kit) => {
      const url = kit.url().replace('://', '://user:secret@')
      const told = kit.watch(url)
      await Promise.race([told.nth('message'), told.nth('error')])
      same(told.source.url, url)
      same(told.notes, ['open 1', 'message a'])
    },
  },
  ...broken.map(([what, steps, deviates]): Case => ({
    name: `a network error is followed by another attempt: ${what}`,
    statements: [25, 30],
    deviates,
    answers: [soon('data: a\n\n'), steps, stream('data: b\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.notes, ['open 1', 'message a', 'error 0', 'error 0', 'open 1', 'message b'])
    },
  })),
  {
    name: 'a network error of the first attempt is followed by another, some seconds later',
    statements: [25, 28, 30],
    answers: [[RESET], stream('data: a\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same(told.notes, ['error 0', 'open 1', 'message a'])
      const [first, later] = (await kit.log()).requests
      const waited = (later?.at ?? 0) - (first?.ended ?? 0)
      ok(waited > 900 && waited < 7000, `waited ${waited} ms`)
    },
  },
  {
    name: 'a server that nobody could reach is read when it is there',
    statements: [25, 30, 31],
    answers: [[OPEN_HEAD, 'data: a\n\n', HANG]],
    run: async (kit) => {
      const late = await kit.control<string>('late-port')
      const told = kit.watch(late + new URL(kit.url()).pathname)
      await told.nth('error')
      same(told.notes, ['error 0'])
      await kit.control('late-listen')
      await told.nth('message')
      same(told.notes.slice(-2), ['open 1', 'message a'])
    },
  },
  ...FUTILE.map((url): Case => ({
    name: `a scheme that no request can be made for is final: ${url}`,
    statements: [25, 32],
    run: async (kit) => {
      const told = kit.watch(url)
      same(told.source.readyState, 0)
      const event = await told.nth('error')
      ok(!('data' in event), 'a plain event')
      same(told.notes, ['error 2'])
      await kit.quiet(100)
      same(told.notes, ['error 2'])
    },
  })),
  open('by the end of the connection', [STREAM_HEAD, body], ['a', 'b']),
  open('without a body', soon(), []),
  open('reset', [STREAM_HEAD, body, gap(40), RESET], ['a', 'b']),
  open('of the length it said', [sized(body.length), body], ['a', 'b']),
  open('shorter than it said', [sized(body.length + 10), body, gap(20), FIN], ['a', 'b']),
  open(
    'bytes beyond the length it said',
    [sized(body.length), `${body}data: c\n\n`, gap(20), FIN],
    ['a', 'b'],
  ),
  open('HTTP/1.0', [`HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${body}`], ['a', 'b']),
  open('in one chunk', [chunkedHead, chunk(body), '0\r\n\r\n'], ['a', 'b']),
  open('a chunk for each byte', [chunkedHead, body.split('').map(chunk).join(''), '0\r\n\r\n'], ['a', 'b']),
  open(
    'chunks with extensions, zeros, capitals and a trailer',
    [chunkedHead, `0001C;x="y"\r\n${body}\r\n`, '0\r\nA: b\r\n\r\n'],
    ['a', 'b'],
  ),
  open('chunks that are cut off', [chunkedHead, chunk(body), gap(20), FIN], ['a', 'b']),
  open('compressed', [zipped, { gzip: [body] }], ['a', 'b']),
  open('head and body in one piece', [STREAM_HEAD + body], ['a', 'b']),
  open(
    'the head byte by byte',
    STREAM_HEAD.split('')
      .flatMap((byte): readonly Step[] => [byte, gap(1)])
      .concat(body),
    ['a', 'b'],
  ),
  {
    name: 'what is compressed is told as it comes',
    statements: [20, 29],
    answers: [[zipped, { gzip: ['data: a\n\n', 'data: b\n\n'] }, HANG]],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.notes, ['open 1', 'message a', 'message b'])
    },
  },
  {
    name: 'a stream ends with its last chunk, though the connection stays',
    statements: [27],
    answers: [
      [
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
        chunk(body),
        '0\r\n\r\n',
        KEEP,
      ],
      stream('data: again\n\n', HANG),
    ],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 3)
      same(told.notes, ['open 1', 'message a', 'message b', 'error 0', 'open 1', 'message again'])
    },
  },
  {
    name: 'a stream that ends again and again is asked for again and again',
    statements: [27, 30, 53],
    answers: ({ number }) => (number < 5 ? soon(`data: ${number}\n\n`) : stream(HANG)),
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('open', 6)
      same(told.notes, [
        ...[0, 1, 2, 3, 4].flatMap((number) => ['open 1', `message ${number}`, 'error 0']),
        'open 1',
      ])
    },
  },
]
