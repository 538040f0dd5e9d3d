/** errorDetails: what an error says of its reason. */
import type { EventSourceErrorEvent } from '@downlink/client'
import { ok, same } from '../assert.ts'
import type { Case, Kit } from '../case.ts'
import { HANG, OPEN_HEAD, RESET, head, soon, status, stream } from '../script.ts'
import type { Step } from '../script.ts'
import { beyond, reasonsOf, sameDetails, watchWith } from './ours.ts'

const details = { errorDetails: true }

const reason = (
  what: string,
  expected: readonly string[],
  steps: readonly (readonly Step[])[],
  url?: (kit: Kit) => string,
): Case => ({
  name: `errors say their reason: ${what}`,
  statements: [69],
  answers: [...steps, status(204)],
  run: async (kit) => {
    const told = watchWith(kit, { ...details, reconnectionTime: 1 }, url?.(kit))
    await told.nth('error', expected.length)
    same(reasonsOf(told), expected)
  },
})

export const errorDetailCases: readonly Case[] = [
  reason('the stream ended', ['ended 200', 'status 204'], [soon('data: a\n\n')]),
  reason('a network error', ['network', 'status 204'], [[RESET]]),
  reason(
    'a stream that was cut',
    ['network 200', 'status 204'],
    [
      [
        head(200, { 'Content-Type': 'text/event-stream', 'Content-Length': '999' }),
        'data: a\n\n',
        { gap: 30 },
        RESET,
      ],
    ],
  ),
  reason('a status', ['status 503'], [status(503)]),
  reason('a type', ['type 200'], [status(200, { 'Content-Type': 'text/html' })]),
  reason('a URL that no request can be made of', ['url'], [], () => 'made-up:x'),
  {
    name: 'errors say their reason: CORS',
    statements: [69],
    skip: { process: 'a process has no origin that CORS could protect' },
    answers: () => stream('data: a\n\n'),
    run: async (kit: Kit) => {
      const told = watchWith(kit, details, kit.otherUrl())
      await told.nth('error')
      same([reasonsOf(told), told.notes], [['cors'], ['error 2']])
    },
  },
  {
    name: 'errors say their reason: a network error of another origin',
    statements: [69],
    answers: [[OPEN_HEAD, 'retry: 10\n\n'], [RESET], [RESET], [OPEN_HEAD, HANG]],
    run: async (kit: Kit) => {
      const told = watchWith(kit, details, kit.otherUrl())
      await told.nth('open', 2)
      ok(
        reasonsOf(told)
          .slice(1)
          .every((text) => text === 'network'),
        reasonsOf(told).join(),
      )
    },
  },
  {
    name: 'errors say their reason: silence',
    statements: [68, 69],
    answers: [stream(HANG), status(204)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { ...details, silenceTimeout: 1000, reconnectionTime: 1 })
      await told.nth('error', 2)
      same(
        reasonsOf(told).map((text) => text.split(' ')[0]),
        ['silent', 'status'],
      )
    },
  },
  {
    name: 'errors say their reason: a fetch that was aborted, which is final',
    statements: [25, 62, 69],
    run: async (kit: Kit) => {
      const told = watchWith(kit, {
        ...details,
        fetch: () => Promise.reject(new DOMException('on purpose', 'AbortError')),
      })
      await told.nth('error')
      same([reasonsOf(told), told.notes], [['aborted'], ['error 2']])
    },
  },
  {
    name: 'errors say their reason: an event that is too large',
    statements: [69, 70],
    answers: [stream('data: too large\n\n', HANG)],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { ...details, maxEventSize: 4 })
      const { error } = (await told.nth('error')) as EventSourceErrorEvent
      same(reasonsOf(told), ['data 200'])
      same((error as { code?: string }).code, 'event-too-large')
    },
  },
  {
    name: 'the headers of a refused response are there, and the error of one that failed',
    statements: [69],
    answers: [[RESET], status(429, { 'Retry-After': '7' })],
    run: async (kit: Kit) => {
      const told = watchWith(kit, { ...details, reconnectionTime: 1 })
      const lost = (await told.nth('error')) as EventSourceErrorEvent
      sameDetails(lost, 'error', 'reason')
      ok(lost.error instanceof Error, 'the error')
      const refused = (await told.nth('error', 2)) as EventSourceErrorEvent
      sameDetails(refused, 'headers', 'reason', 'status')
      same(refused.headers?.get('retry-after'), '7')
    },
  },
].map(beyond)
