/** What is asked of the server: 9.2.2, steps 6-12 of the constructor, and 9.2.3. */
import { ok, same } from '../assert.ts'
import type { Case, Kit } from '../case.ts'
import { HANG, head, soon, status, stream } from '../script.ts'
import type { Log, Seen } from '../script.ts'

/** A stream that ends once, so that there is a first request and a later one. */
const twice = [soon('id: 7\ndata: a\n\n'), soon('data: b\n\n', HANG)]

async function both(kit: Kit): Promise<readonly [first: Seen, later: Seen]> {
  const told = kit.watch()
  await told.nth('message', 2)
  const { requests } = await kit.log({ requests: 2 })
  const [first, later] = requests
  ok(first && later && requests.length === 2, `two requests, not ${requests.length}`)
  return [first, later]
}

const NO_COOKIES = 'no cookies there'

export const requestCases: readonly Case[] = [
  {
    name: 'the request is a GET without a body, for the path and query as they are',
    statements: [12],
    answers: twice,
    run: async (kit) => {
      for (const { method, head, body, headers, path } of await both(kit)) {
        same([method, body, path], ['GET', '', 'stream'])
        ok(/^GET \/c\/\d+\/stream HTTP\/1\.1\r\n/.test(head), head)
        same(
          [headers['content-type'], headers['content-length'], headers['transfer-encoding']],
          [undefined, undefined, undefined],
        )
      }
    },
  },
  {
    name: 'Accept is text/event-stream and nothing else, on reconnections too',
    statements: [14],
    answers: twice,
    run: async (kit) => {
      for (const { headers } of await both(kit)) same(headers['accept'], 'text/event-stream')
    },
  },
  {
    name: 'Cache-Control is no-cache, on reconnections too',
    statements: [15],
    answers: twice,
    run: async (kit) => {
      for (const { headers } of await both(kit)) same(headers['cache-control'], 'no-cache')
    },
  },
  {
    name: 'a response that may be cached is not used again',
    statements: [15],
    answers: ({ number }) => [
      head(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'max-age=3600' }),
      `retry: 10\ndata: ${number}\n\n`,
    ],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      told.source.close()
      const again = kit.watch()
      await again.nth('message')
      same([...told.data, ...again.data], ['0', '1', '2'])
    },
  },
  {
    name: 'a first request has no Last-Event-ID, whatever other sources have read',
    statements: [16],
    answers: twice,
    run: async (kit) => {
      const [first, later] = await both(kit)
      same([first.headers['last-event-id'], later.headers['last-event-id']], [undefined, '7'])
      kit.open(kit.url('other'))
      const { requests } = await kit.log({ requests: 3 })
      same(requests[2]?.headers['last-event-id'], undefined)
    },
  },
  {
    name: 'the request is a CORS request for no destination',
    statements: [12],
    answers: twice,
    skip: { process: 'browsers say it in Sec-Fetch headers, other runtimes need not' },
    run: async (kit) => {
      for (const { headers } of await both(kit)) {
        same(
          [headers['sec-fetch-mode'], headers['sec-fetch-dest'], headers['sec-fetch-site']],
          ['cors', 'empty', 'same-origin'],
        )
      }
    },
  },
  {
    name: 'a server may be asked by several sources at the same time',
    statements: [12],
    answers: ({ number }) => stream(`data: ${number}\n\n`, HANG),
    run: async (kit) => {
      const watches = [kit.watch(), kit.watch()]
      await Promise.all(watches.map((told) => told.nth('message')))
      same(watches.flatMap(({ data }) => data).toSorted(), ['0', '1'])
    },
  },
  {
    name: 'cookies go to the own origin',
    statements: [13],
    skip: { process: NO_COOKIES },
    answers: ({ path }) =>
      path === 'cookie' ? status(204, { 'Set-Cookie': 'own=1; Path=/' }) : soon('data: a\n\n'),
    run: async (kit) => {
      await fetch(kit.url('cookie'))
      const told = kit.watch()
      await told.nth('message', 2)
      for (const { headers } of (await kit.log()).requests.slice(1))
        ok(headers['cookie']?.includes('own=1'), 'the cookie')
    },
  },
  {
    name: 'cookies that a stream sets come back on the reconnection',
    statements: [13],
    skip: { process: NO_COOKIES },
    answers: [
      [head(200, { 'Content-Type': 'text/event-stream', 'Set-Cookie': 'set=1' }), 'retry: 10\n\n'],
      stream('data: a\n\n', HANG),
    ],
    run: async (kit) => {
      await kit.watch().nth('message')
      const { requests } = await kit.log()
      ok(requests[1]?.headers['cookie']?.includes('set=1'), 'the cookie')
    },
  },
]

export const times = ({ requests }: Log): readonly number[] => requests.map(({ at }) => at)
