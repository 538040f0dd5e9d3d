/** The query and headers of a read: from texts of strangers to a plan. */
import { formatCursor, parseCursor, WireError } from '@downlink/wire'
import { startOf } from '../../packages/hub/src/delivery/start.ts'
import { Problem } from '../../packages/hub/src/http/problem.ts'
import { readRequest } from '../../packages/hub/src/http/read-request.ts'
import { DEFAULT_HUB_LIMITS } from '../../packages/hub/src/hub-options.ts'
import type { LogState } from '../../packages/hub/src/log/log.ts'
import { headerSafe, mutateText, NASTY } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, mustNotPollute, outcome, type Target } from '../target.ts'

interface Input {
  readonly query: string
  readonly accept: string
  readonly prefer: string
  readonly lastEventId: string
}

const QUERIES = [
  '',
  'after=k3Zq-42',
  'after=start&limit=10',
  'after=now&wait=30',
  'last=5&fields=channel,time',
  'transport=sse&event=channel',
  'transport=poll&after=k3Zq-7&limit=100',
  'transport=long-poll&wait=0',
  'after=k3Zq-42&after=now',
  'limit=0',
  'limit=1001',
  'wait=1e3',
  'last=-1',
  'fields=',
  'ticket=secret',
  '%61fter=now',
  'after=%00',
  'after=k3Zq%2D42',
  '__proto__=1',
  'after=%ff%fe',
  'a=%',
  '&&&=&',
]
const NAMES = ['after', 'last', 'limit', 'wait', 'transport', 'fields', 'event', 'x']
const VALUES = [
  '',
  'now',
  'start',
  'k3Zq-42',
  'k3Zq-0',
  'other-7',
  'sse',
  'poll',
  'long-poll',
  'channel',
  'channel,time',
  '0',
  '1',
  '60',
  '1000',
  '1001',
  '%30',
  '+1',
  '1.5',
]
const IDS = ['', '', '', 'k3Zq-42', 'other-7', 'k3Zq-99999', 'nonsense', '\u00e9', 'k3Zq-42, k3Zq-43']

/** A log with a history. */
const STATE: LogState = { epochs: [{ name: 'k3Zq' }], frontier: 100 } as unknown as LogState

export const query: Target<Input> = {
  name: 'query',
  claim: 'A read is refused by name, or is a plan within the limits, the same each time it is asked for.',
  count: 1_000_000,
  short: 8_000,
  corpus: QUERIES.map((query) => ({ query, accept: '', prefer: '', lastEventId: '' })),
  make(random) {
    return {
      query: queryFor(random),
      accept: random.pick(['', '', '*/*', 'text/event-stream', 'application/json', 'text/html']),
      prefer: random.pick(['', '', '', 'wait=10', 'wait=999']),
      lastEventId: random.oneIn(6)
        ? headerSafe(random.text([...NASTY, 'k3Zq', '-', '4'], 6))
        : random.pick(IDS),
    }
  },
  check(input) {
    const headers: Readonly<Record<string, string>> = {
      accept: input.accept,
      prefer: input.prefer,
      'last-event-id': input.lastEventId,
    }
    const request = requestOf(input.query, headers)
    const first = outcome(() => readRequest(request, DEFAULT_HUB_LIMITS), Problem)
    const again = outcome(() => readRequest(request, DEFAULT_HUB_LIMITS), Problem)
    must(JSON.stringify(first) === JSON.stringify(again), 'asked again it is another')
    mustNotPollute()
    if ('code' in first) {
      // A value of a parameter that it knows is told; of others, among them tickets, only the name is.
      const named = [...new URLSearchParams(input.query).keys()].some((name) => name.includes('secret'))
      const told = first.code === 'unknown-parameter' && first.error.message.includes('secret')
      must(named || !told, 'a refusal tells what an unknown parameter held')
      return first.code
    }
    const { transport, limit, wait, origin, cacheable } = first.value
    must(['sse', 'long-poll', 'poll'].includes(transport), 'there is no such transport')
    must(Number.isInteger(limit) && limit >= 1 && limit <= 1000, 'the limit is beyond its bounds')
    must(wait >= 0 && wait <= 60, 'the wait is beyond its bounds')
    must(
      !cacheable || (transport === 'poll' && input.lastEventId === ''),
      'what a header decides may be cached',
    )
    const start = startOf(origin, STATE)
    must(Number.isSafeInteger(start.position) && start.position >= 0, 'it begins nowhere')
    if (input.lastEventId !== '') mustBeOfId(input.lastEventId, start)
    return transport
  },
}

/** `Last-Event-ID` always counts, and what is no cursor of this log is told as a gap. */
function mustBeOfId(id: string, start: ReturnType<typeof startOf>): void {
  const parsed = outcome(() => parseCursor(id), WireError)
  if ('code' in parsed) must(start.foreign?.from === null, 'an id that is no cursor is not told as a gap')
  else if (parsed.value.epoch !== 'k3Zq')
    must(start.foreign?.from === formatCursor(parsed.value), 'a cursor of another log is not told as a gap')
  else if (parsed.value.position <= 100)
    must(start.position === parsed.value.position && !start.foreign, 'it goes on from another position')
}

function queryFor(random: Random): string {
  if (random.oneIn(4))
    return mutateText(random, random.pick(QUERIES), ['&', '=', 'after=', '&limit=', '%2', '+'])
  const pairs = random.list(4, () => `${random.pick(NAMES)}=${random.pick(VALUES)}`)
  const text = pairs.join('&')
  return random.oneIn(4) ? mutateText(random, text, NAMES) : text
}

function requestOf(
  query: string,
  headers: Readonly<Record<string, string>>,
): Parameters<typeof readRequest>[0] {
  return {
    method: 'GET',
    path: '/channels/a',
    query,
    header: (name) => headers[name] || undefined,
    headerNames: () => Object.keys(headers),
    address: '127.0.0.1',
    scheme: 'http',
    body: () => Promise.resolve(new Uint8Array()),
    signal: NEVER,
    raw: undefined,
  }
}

const NEVER = new AbortController().signal
