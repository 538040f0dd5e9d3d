/** The options that go beyond the standard, errorDetails excepted. */
import { ok, same, throws, throwsTypeError } from '../assert.ts'
import type { Case, Kit } from '../case.ts'
import { HANG, RESET, gap, soon, status, stream } from '../script.ts'
import { type OurSource, beyond, watchWith } from './ours.ts'

const answers = [stream('data: a\n\n', HANG)]

const waits = async (kit: Kit, count: number): Promise<readonly number[]> => {
  const { requests } = await kit.log({ requests: count + 1 })
  return requests.slice(1).map(({ at }, i) => at - (requests[i]?.ended ?? NaN))
}

const refusedInits: readonly (readonly [what: string, init: object])[] = [
  ['a method that there is not', { method: 'a b' }],
  ['a method that fetch forbids', { method: 'TRACE' }],
  ['a body without a method that takes one', { body: 'x' }],
]

export const optionCases: readonly Case[] = [
  {
    name: 'without options nothing of them shows',
    statements: [69],
    answers: [soon(), status(204)],
    run: async (kit: Kit) => {
      const told = kit.watch()
      await told.nth('error', 2)
      for (const { event } of told.told)
        ok(!('reason' in event || 'status' in event || 'error' in event), event.type)
    },
  },
  {
    name: 'fetch is called for each attempt, with the URL and what the standard asks for',
    statements: [62],
    answers: [soon('id: 7\n\n'), stream('data: a\n\n', HANG)],
    run: async (kit: Kit) => {
      const calls: unknown[][] = []
      const told = watchWith(kit, {
        fetch: (url, init) => {
          const headers = new Headers(init.headers)
          calls.push([
            url,
            headers.get('accept'),
            headers.get('last-event-id'),
            init.cache,
            init.signal?.aborted,
          ])
          return fetch(url, init)
        },
      })
      await told.nth('message')
      same(calls, [
        [kit.url(), 'text/event-stream', null, 'no-store', false],
        [kit.url(), 'text/event-stream', '7', 'no-store', false],
      ])
    },
  },
  {
    name: 'a response of fetch that nobody sent is read',
    statements: [62],
    run: async (kit: Kit) => {
      const told = watchWith(kit, {
        fetch: () =>
          Promise.resolve(new Response('data: a\n\n', { headers: { 'content-type': 'text/event-stream' } })),
      })
      await told.nth('error')
      same(told.notes, ['open 1', 'message a', 'error 0'])
      same(told.messages[0]?.origin, kit.origin)
    },
  },
  {
    name: 'a fetch that fails, or throws, is a network error',
    statements: [62],
    run: async (kit: Kit) => {
      let calls = 0
      const told = watchWith(kit, {
        reconnectionTime: 1,
        fetch: () => {
          if (++calls === 1) throw new TypeError('thrown on purpose')
          if (calls === 2) return Promise.reject(new TypeError('rejected on purpose'))
          return Promise.resolve(new Response(null, { status: 204 }))
        },
      })
      await told.nth('error', 3)
      same(told.notes, ['error 0', 'error 0', 'error 2'])
    },
  },
  {
    name: 'the signal of fetch is aborted by close(), also while headers are awaited',
    statements: [62, 63],
    run: async (kit: Kit) => {
      let give: (headers: Record<string, string>) => void = () => {}
      const signals: boolean[] = []
      const told = watchWith(kit, {
        headers: () => new Promise<Record<string, string>>((resolve) => (give = resolve)),
        fetch: (url, init) => {
          signals.push(init.signal?.aborted === true)
          return fetch(url, init)
        },
      })
      await kit.quiet(20)
      told.source.close()
      give({})
      await kit.quiet(100)
      same(
        signals.filter((aborted) => !aborted),
        [],
        'requests that were not aborted',
      )
      same([told.notes, (await kit.log()).requests.length], [[], 0])
    },
  },
  ...(
    [
      ['an object', { 'X-Mine': 'a' }],
      ['a list', [['X-Mine', 'a']]],
      ['Headers', new Headers({ 'X-Mine': 'a' })],
    ] as const
  ).map(([what, headers]): Case => ({
    name: `headers are sent with each attempt: ${what}`,
    statements: [63],
    answers: [soon(), stream(HANG)],
    run: async (kit) => {
      await watchWith(kit, { headers: headers as HeadersInit }).nth('open', 2)
      const { requests } = await kit.log()
      same(
        requests.map(({ headers }) => [headers['x-mine'], headers['accept']]),
        [
          ['a', 'text/event-stream'],
          ['a', 'text/event-stream'],
        ],
      )
    },
  })),
  {
    name: 'a function of headers is asked again for each attempt, and may take its time',
    statements: [63],
    answers: [soon(), soon(), stream(HANG)],
    run: async (kit: Kit) => {
      let token = 0
      await watchWith(kit, {
        headers: async () => {
          await kit.quiet(5)
          return { Authorization: `Bearer ${++token}` }
        },
      }).nth('open', 3)
      const { requests } = await kit.log()
      same(
        requests.map(({ headers }) => headers['authorization']),
        ['Bearer 1', 'Bearer 2', 'Bearer 3'],
      )
    },
  },
  {
    name: 'a function of headers that fails is a network error',
    statements: [63],
    answers,
    run: async (kit: Kit) => {
      let calls = 0
      const told = watchWith(kit, {
        reconnectionTime: 1,
        headers: () => {
          if (++calls === 1) throw new TypeError('on purpose')
          return calls === 2 ? Promise.reject(new TypeError('on purpose')) : {}
        },
      })
      await told.nth('message')
      same(told.notes, ['error 0', 'error 0', 'open 1', 'message a'])
    },
  },
  {
    name: 'Last-Event-ID of the source wins over one in headers',
    statements: [63],
    answers: [soon('id: 7\n\n'), stream(HANG)],
    run: async (kit: Kit) => {
      await watchWith(kit, { headers: { 'Last-Event-ID': 'mine' } }).nth('open', 2)
      const { requests } = await kit.log()
      same(
        requests.map(({ headers }) => headers['last-event-id']),
        ['mine', '7'],
      )
    },
  },
  {
    name: 'method and body are sent with each attempt',
    statements: [64],
    answers: [soon('id: 7\n\n'), stream(HANG)],
    run: async (kit: Kit) => {
      let asked = 0
      await watchWith(kit, { method: 'POST', body: () => `question ${++asked}` }).nth('open', 2)
      // The server may note the head before the body has come.
      const { requests } = await kit.log({ requests: 2 })
      same(
        requests.map(({ method, body }) => `${method} ${body}`),
        ['POST question 1', 'POST question 2'],
      )
      same(
        requests.map(({ headers }) => headers['last-event-id']),
        [undefined, '7'],
      )
    },
  },
  {
    name: 'a body that is a text is sent with each attempt',
    statements: [64],
    answers: [soon(), stream(HANG)],
    run: async (kit: Kit) => {
      await watchWith(kit, { method: 'POST', body: 'é' }).nth('open', 2)
      const { requests } = await kit.log()
      same(
        requests.map(({ body }) => body),
        ['Ã©', 'Ã©'],
      )
    },
  },
  {
    name: 'lastEventId is sent with the first request, and is that of events without one',
    statements: [65],
    answers: [soon('data: a\n\nid: 8\n\n'), stream(HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { lastEventId: 'é7' })
      same((told.source as unknown as OurSource).lastEventId, 'é7')
      await told.nth('open', 2)
      same(told.whole, [['message', 'a', 'é7']])
      const { requests } = await kit.log()
      same(
        requests.map(({ headers }) => headers['last-event-id']),
        ['Ã©7', '8'],
      )
    },
  },
  {
    name: 'source.lastEventId is that of the stream, also without events',
    statements: [65],
    answers: [stream('id: 1\n\nid: 2\ndata: a\n\n', HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, {})
      const source = told.source as unknown as OurSource
      same(source.lastEventId, '')
      await told.nth('message')
      same(source.lastEventId, '2')
      throwsTypeError(() => ((source as { lastEventId: string }).lastEventId = 'x'), 'lastEventId = x')
    },
  },
  {
    name: 'reconnectionTime is that of a stream that says none, from the first attempt on',
    statements: [66],
    answers: [[RESET], stream(), stream(HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { reconnectionTime: 250 })
      same((told.source as unknown as OurSource).reconnectionTime, 250)
      await told.nth('open', 2)
      for (const waited of await waits(kit, 2)) ok(waited >= 235 && waited < 1500, `waited ${waited} ms`)
    },
  },
  {
    name: 'source.reconnectionTime is what the stream said, and retry wins over the option',
    statements: [66],
    answers: [stream('retry: 150\ndata: a\n\n'), stream(HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { reconnectionTime: 60_000 })
      await told.nth('open', 2)
      same((told.source as unknown as OurSource).reconnectionTime, 150)
    },
  },
  {
    name: 'by default source.reconnectionTime is 3000',
    statements: [66],
    answers,
    run: (kit: Kit) => same((kit.open() as unknown as OurSource).reconnectionTime, 3000),
  },
  {
    name: 'backoff adds to the waits after attempts that fail, and never makes them shorter',
    statements: [67],
    answers: [soon(), [RESET], [RESET], [RESET], stream(HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { backoff: 400 })
      await told.nth('open', 2)
      for (const waited of await waits(kit, 4)) ok(waited >= 85 && waited < 1400, `waited ${waited} ms`)
    },
  },
  {
    name: 'backoff adds nothing after a connection that brought something',
    statements: [67],
    answers: [1, 2, 3, 4, 5, 6, 7].map(() => stream('retry: 300\n\n')),
    run: async (kit: Kit) => {
      const told = watchWith(kit, { backoff: 60_000 })
      await told.nth('open', 7)
      // A machine may be late by a second; were each taken for a failure, the sixth wait would be up to ten.
      for (const waited of await waits(kit, 6)) ok(waited >= 285 && waited < 1400, `waited ${waited} ms`)
    },
  },
  {
    name: 'a silent connection is lost after silenceTimeout, and asked for again',
    statements: [68],
    answers: [soon('data: a\n\n', HANG), stream('data: b\n\n', HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { silenceTimeout: 1000 })
      await told.nth('message', 2)
      same(told.notes, ['open 1', 'message a', 'error 0', 'open 1', 'message b'])
      const { requests } = await kit.log({ closed: 1 })
      ok(
        requests[0]?.closed !== undefined && requests[0].closed - requests[0].at > 900,
        'closed by the client, in time',
      )
    },
  },
  {
    name: 'a server that does not answer is given up after silenceTimeout',
    statements: [68],
    answers: [[HANG], stream('data: a\n\n', HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { silenceTimeout: 1000, reconnectionTime: 10 })
      await told.nth('message')
      same(told.notes, ['error 0', 'open 1', 'message a'])
    },
  },
  {
    name: 'any byte is enough not to be silent: comments, too',
    statements: [68],
    answers: [stream(...Array.from({ length: 30 }, () => [':\n', gap(60)]).flat(), 'data: a\n\n', HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { silenceTimeout: 1500 })
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
    },
  },
  {
    name: 'an event that is larger than maxEventSize ends it, after the events before it',
    statements: [70],
    answers: [
      soon(`data: a\n\ndata: ${'x'.repeat(2000)}\n\ndata: b\n\n`, HANG),
      stream('data: asked again\n\n'),
    ],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { maxEventSize: 1000 })
      await told.nth('error')
      await kit.quiet(200)
      same(told.notes, ['open 1', 'message a', 'error 2'])
      const { requests } = await kit.log({ closed: 1 })
      same(
        requests.map(({ closed }) => closed !== undefined),
        [true],
        'closed by the client',
      )
    },
  },
  ...refusedInits.map(([what, init]): Case => ({
    name: `options that no request can be made of are a TypeError: ${what}`,
    statements: [64],
    deviates: { bun: 'its Request takes any' },
    run: ({ EventSource, url }) => throwsTypeError(() => new EventSource(url(), init).close(), what),
  })),
  {
    name: 'a lastEventId that no header can hold is a TypeError',
    statements: [65],
    run: ({ EventSource, url }: Kit) => {
      const init = { lastEventId: 'a\nb' } as EventSourceInit
      throws(
        () => new EventSource(url(), init).close(),
        (error) => error instanceof TypeError,
        'a line end',
      )
    },
  },
].map(beyond)
