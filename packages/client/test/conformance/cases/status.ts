/** The status of the response: 9.2.3, "process response". */
import { same } from '../assert.ts'
import type { Case, Reasons } from '../case.ts'
import { HANG, head, soon, status, stream } from '../script.ts'
import type { Step } from '../script.ts'

/** All that have a name, and some that have none. 407 is a proxy's, and after 421 Chromium itself asks once more. */
const STATUSES = [
  201, 202, 203, 204, 205, 206, 207, 208, 210, 226, 299, 300, 304, 305, 306, 399, 400, 401, 402, 403, 404,
  405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 422, 423, 424, 425, 426, 428, 429, 431,
  451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 510, 511, 520, 599,
]

const LATER = [
  201, 204, 205, 210, 299, 301, 302, 304, 307, 400, 401, 403, 404, 408, 410, 418, 429, 500, 502, 503, 504,
  599,
]

const WITHOUT_BODY = new Set([204, 205, 304])

/** As near to a stream as it can be, so that nothing but the status can be what is refused. */
const answer = (code: number): readonly Step[] =>
  WITHOUT_BODY.has(code)
    ? status(code, { 'Content-Type': 'text/event-stream' })
    : [head(code, { 'Content-Type': 'text/event-stream' }), 'retry: 10\ndata: no\n\n']

const first = (code: number, deviates?: Reasons): Case => ({
  name: `any status but 200 is final on the first attempt: ${code}`,
  statements: [21, 32, 34],
  answers: [answer(code), stream('data: asked again\n\n', HANG)],
  deviates,
  run: async (kit) => {
    const told = kit.watch()
    await told.nth('error')
    await kit.quiet(150)
    same(told.notes, ['error 2'])
    same((await kit.log()).requests.length, 1, 'requests')
  },
})

const later = (code: number): Case => ({
  name: `any status but 200 is final on a later attempt: ${code}`,
  statements: [21, 27, 32],
  answers: [soon('data: a\n\n'), answer(code), stream('data: asked again\n\n', HANG)],
  run: async (kit) => {
    const told = kit.watch()
    await told.nth('error', 2)
    await kit.quiet(150)
    same(told.notes, ['open 1', 'message a', 'error 0', 'error 2'])
    same((await kit.log()).requests.length, 2, 'requests')
  },
})

export const statusCases: readonly Case[] = [
  ...STATUSES.map((code) => first(code)),
  ...LATER.map(later),
  ...[301, 302, 303, 307, 308].map((code): Case => ({
    name: `a redirect that says not where to is final: ${code}`,
    statements: [21, 24],
    answers: [answer(code), stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      await kit.quiet(150)
      same(told.notes, ['error 2'])
    },
  })),
  ...(['HTTP/1.1 200', 'HTTP/1.1 200 ', 'HTTP/1.1 200 Fine by me', 'HTTP/1.1 200 Not Found'] as const).map(
    (line): Case => ({
      name: `the words behind the status mean nothing: "${line}"`,
      statements: [20],
      answers: [[`${line}\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n`, HANG]],
      run: async (kit) => {
        const told = kit.watch()
        await told.nth('message')
        same(told.notes, ['open 1', 'message a'])
      },
    }),
  ),
  ...([100, 102, 103] as const).map((code): Case => ({
    name: `an informational response before the real one is passed over: ${code}`,
    statements: [20],
    deviates:
      code === 100 ? { node: 'its fetch takes a 100 that it did not ask for as an error' } : undefined,
    answers: [[`HTTP/1.1 ${code} Wait\r\nLink: </x>\r\n\r\n`, ...stream('data: a\n\n', HANG)]],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
    },
  })),
  ...(
    [
      ['404', [head(404, { 'Content-Type': 'text/html' }), '<p>Not here', HANG]],
      ['500 with a stream', [head(500, { 'Content-Type': 'text/event-stream' }), 'data: a\n\n', HANG]],
      ['200 with another type', [head(200, { 'Content-Type': 'text/html' }), '<p>Hello', HANG]],
      ['200 in small letters', [head(200, { 'Content-Type': 'application/json' }), HANG]],
      [
        '404 with a length',
        [head(404, { 'Content-Type': 'text/html', 'Content-Length': '9999' }), 'x', HANG],
      ],
      [
        '404 in chunks',
        [head(404, { 'Content-Type': 'text/html', 'Transfer-Encoding': 'chunked' }), '1\r\nx\r\n', HANG],
      ],
    ] as const
  ).map(([what, steps]): Case => ({
    name: `the connection of a refused response is closed: ${what}`,
    statements: [21, 22, 32],
    answers: [steps],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      same(told.notes, ['error 2'])
      const { requests } = await kit.log({ closed: 1 })
      same(
        requests.map(({ closed }) => closed !== undefined),
        [true],
        'closed by the client',
      )
    },
  })),
  {
    name: 'the connection of a response that was refused on a reconnection is closed',
    statements: [21, 32],
    answers: [soon('data: a\n\n'), [head(503, { 'Content-Type': 'text/html' }), 'x', HANG]],
    run: async (kit) => {
      await kit.watch().nth('error', 2)
      const { requests } = await kit.log({ closed: 1 })
      same(
        requests.map(({ closed }) => closed !== undefined),
        [false, true],
        'closed by the client',
      )
    },
  },
]
