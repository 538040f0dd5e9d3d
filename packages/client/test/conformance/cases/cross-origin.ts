/** Other origins: CORS, credentials, preflights. */
import { ok, same } from '../assert.ts'
import type { Case, Kit, Reasons } from '../case.ts'
import { HANG, OPEN_HEAD, head, redirect, status } from '../script.ts'
import type { Step } from '../script.ts'

const skip: Reasons = { process: 'a process has no origin that CORS could protect' }

const allowing = (origin: string | undefined, more: Readonly<Record<string, string>> = {}): string =>
  head(200, {
    'Content-Type': 'text/event-stream',
    ...(origin !== undefined && { 'Access-Control-Allow-Origin': origin }),
    ...more,
  })

const body = ['retry: 10\ndata: a\n\n', HANG] as const

/** A stream for another origin that ends with this id, and one that stays. */
const withId = (id: string): readonly (readonly Step[])[] => [
  [OPEN_HEAD, `retry: 10\nid: ${id}\ndata: a\n\n`],
  [OPEN_HEAD, 'data: b\n\n', HANG],
]

const PREFLIGHT =
  'fetch() asks the server before it sends a Last-Event-ID that a script has set, whatever it is'

function refused(what: string, answer: (origin: string) => string, init?: EventSourceInit): Case {
  return {
    name: `a response that CORS does not allow is final: ${what}`,
    statements: [26, 32],
    skip,
    answers: ({ headers }) => [answer(headers['origin'] ?? ''), ...body],
    run: async (kit) => {
      const told = kit.watchOf(kit.open(kit.otherUrl(), init))
      await told.nth('error')
      same(told.notes, ['error 2'])
      await kit.quiet(250)
      same(told.notes, ['error 2'])
    },
  }
}

function allowed(what: string, answer: (origin: string) => string, init?: EventSourceInit): Case {
  return {
    name: `a response that CORS allows is read: ${what}`,
    statements: [12, 26],
    skip,
    answers: ({ headers }) => [answer(headers['origin'] ?? ''), ...body],
    run: async (kit) => {
      const told = kit.watchOf(kit.open(kit.otherUrl(), init))
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
      same(told.messages[0]?.origin, kit.otherOrigin)
      const { requests } = await kit.log()
      same(requests[0]?.headers['origin'], kit.origin)
    },
  }
}

async function cookiesOf(kit: Kit, init?: EventSourceInit): Promise<readonly (string | undefined)[]> {
  await fetch(kit.otherUrl('cookie'), { credentials: 'include' })
  const told = kit.watchOf(kit.open(kit.otherUrl(), init))
  await told.nth('message', 2)
  const { requests } = await kit.log()
  return requests.slice(1).map(({ headers }) => /other=\d/.exec(headers['cookie'] ?? '')?.[0])
}

const WITH = { 'Access-Control-Allow-Credentials': 'true' }
const cookieAnswers = ({
  path,
  headers,
}: {
  path: string
  headers: Readonly<Record<string, string>>
}): readonly Step[] => {
  const origin = headers['origin'] ?? '*'
  if (path === 'cookie') {
    return status(204, { 'Set-Cookie': 'other=1; Path=/c/', 'Access-Control-Allow-Origin': origin, ...WITH })
  }
  return [allowing(origin, WITH), 'retry: 10\ndata: a\n\n']
}

export const crossOriginCases: readonly Case[] = [
  refused('no Access-Control-Allow-Origin', () => allowing(undefined)),
  refused('an empty one', () => allowing('')),
  refused('another origin', () => allowing('http://example.org')),
  refused('the host without its scheme', (origin) => allowing(origin.replace('http://', ''))),
  refused('two origins', (origin) => allowing(`${origin}, http://example.org`)),
  refused('* for credentials', () => allowing('*', WITH), { withCredentials: true }),
  refused('no Allow-Credentials for credentials', (origin) => allowing(origin), { withCredentials: true }),
  allowed('*', () => allowing('*')),
  allowed('the origin', (origin) => allowing(origin)),
  allowed('the origin, for credentials', (origin) => allowing(origin, WITH), { withCredentials: true }),
  {
    name: 'a response that CORS does not allow is final on a reconnection, too',
    statements: [26],
    skip,
    answers: [
      [OPEN_HEAD, 'retry: 10\ndata: a\n\n'],
      [allowing(undefined), ...body],
    ],
    run: async (kit) => {
      const told = kit.watch(kit.otherUrl())
      await told.nth('error', 2)
      same(told.notes, ['open 1', 'message a', 'error 0', 'error 2'])
    },
  },
  {
    name: 'a server of another origin that cannot be reached is a network error, and asked again',
    statements: [25, 26],
    skip,
    // It may be asked more often, to find out what was the matter.
    answers: ({ number }) => {
      if (number === 0) return [OPEN_HEAD, 'retry: 10\n\n']
      return number === 1 ? [{ end: 'reset' }] : [OPEN_HEAD, 'data: a\n\n', HANG]
    },
    run: async (kit) => {
      const told = kit.watch(kit.otherUrl())
      await told.nth('message')
      same(told.notes, ['open 1', 'error 0', 'error 0', 'open 1', 'message a'])
    },
  },
  {
    name: 'a redirect to another origin that CORS does not allow is final',
    statements: [24, 26],
    skip,
    deviates: {
      ours: 'a script is told no more than of a lost connection, and asks what it was only of other origins',
    },
    answers: ({ path, otherOrigin, folder }) =>
      path === 'stream' ? redirect(302, `${otherOrigin}${folder}target`) : [allowing(undefined), ...body],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      same(told.notes, ['error 2'])
    },
  },
  {
    name: 'cookies do not go to another origin by themselves',
    statements: [13],
    skip,
    answers: cookieAnswers,
    run: async (kit) => same(await cookiesOf(kit), [undefined, undefined]),
  },
  {
    name: 'cookies go to another origin with withCredentials, on reconnections too',
    statements: [5, 13],
    skip,
    answers: cookieAnswers,
    run: async (kit) => same(await cookiesOf(kit, { withCredentials: true }), ['other=1', 'other=1']),
  },
  {
    name: 'a first request to another origin is not preceded by a preflight',
    statements: [18],
    skip,
    answers: [[OPEN_HEAD, 'data: a\n\n', HANG]],
    run: async (kit) => {
      await kit.watch(kit.otherUrl()).nth('message')
      same((await kit.log()).preflights.length, 0)
    },
  },
  {
    name: 'a reconnection to another origin without an id is not preceded by a preflight',
    statements: [16, 18],
    skip,
    answers: [
      [OPEN_HEAD, 'retry: 10\ndata: a\n\n'],
      [OPEN_HEAD, 'data: b\n\n', HANG],
    ],
    run: async (kit) => {
      await kit.watch(kit.otherUrl()).nth('message', 2)
      same((await kit.log()).preflights.length, 0)
    },
  },
  {
    name: 'an id that is safe goes to another origin without a preflight',
    statements: [18],
    skip,
    deviates: { ours: PREFLIGHT },
    answers: withId('safe-1'),
    run: async (kit) => {
      await kit.watch(kit.otherUrl()).nth('message', 2)
      const { requests, preflights } = await kit.log()
      same([requests[1]?.headers['last-event-id'], preflights.length], ['safe-1', 0])
    },
  },
  ...(
    [
      ['too long', 'x'.repeat(129)],
      ['with bytes that are not safe', 'a(b)'],
      ['not ASCII', 'é'],
    ] as const
  ).map(([what, id]): Case => ({
    name: `an id goes to another origin after a preflight: ${what}`,
    statements: [18],
    skip,
    deviates: { native: 'Chromium sends any Last-Event-ID without a preflight' },
    answers: withId(id),
    run: async (kit) => {
      await kit.watch(kit.otherUrl()).nth('message', 2)
      const { requests, preflights } = await kit.log()
      ok(preflights[0]?.headers['access-control-request-headers']?.includes('last-event-id'), 'a preflight')
      ok(requests[1]?.headers['last-event-id'], 'the id')
    },
  })),
  {
    name: 'the id reaches another origin on a reconnection',
    statements: [17],
    skip,
    answers: withId('7'),
    run: async (kit) => {
      await kit.watch(kit.otherUrl()).nth('message', 2)
      same((await kit.log()).requests[1]?.headers['last-event-id'], '7')
    },
  },
  {
    name: 'the id reaches another origin through a redirect',
    statements: [17, 24],
    answers: ({ number, path, otherOrigin, folder }) => {
      if (path !== 'target') {
        return number === 0
          ? [OPEN_HEAD, 'retry: 10\nid: 7\ndata: a\n\n']
          : redirect(307, `${otherOrigin}${folder}target`)
      }
      return [OPEN_HEAD, 'data: b\n\n', HANG]
    },
    run: async (kit) => {
      await kit.watch().nth('message', 2)
      same((await kit.log()).requests[2]?.headers['last-event-id'], '7')
    },
  },
]
