/** Whole requests, through all of the hub but its sockets: whatever comes, the answer is one that the protocol knows. */
import { createHmac } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { createHub, type Hub } from '@downlink/hub'
import { createParser, isControlType, parsePage } from '@downlink/wire'
import type { Authorize } from '../../packages/hub/src/auth/authorize.ts'
import { createAuthorizer } from '../../packages/hub/src/auth/authorizer.ts'
import type { Rule } from '../../packages/hub/src/auth/rules.ts'
import { Handler } from '../../packages/hub/src/http/handler.ts'
import {
  type Answer,
  type HttpRequest,
  isLater,
  isStream,
  type WholeAnswer,
} from '../../packages/hub/src/http/message.ts'
import { PROBLEMS } from '../../packages/hub/src/http/problem.ts'
import { headerSafe, mutateText, NASTY } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, mustBeShort, mustNotPollute, type Target } from '../target.ts'

interface Input {
  readonly method: string
  readonly path: string
  readonly query: string
  /** Names and values. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** Whether the hub has rules, and takes tokens. */
  readonly ruled: boolean
}

const PATHS = [
  '/channels/a',
  '/channels/a,b.*,c.**',
  '/channels/a%2Cb',
  '/channels/%24hub',
  '/channels/a%0d%0ab',
  '/channels/%ff',
  '/channels/%',
  '/channels/',
  '/channels',
  '/channels//a',
  '/channels/../metrics',
  '/healthz',
  '/readyz',
  '/metrics',
  '/tickets',
  '/disconnect',
  '/',
  '*',
  '',
  '/nothing',
  `/channels/${'a,'.repeat(70)}a`,
]
/** Those that are what most people ask for. */
const READ = ['/channels/a', '/channels/a,b.*,c.**', '/channels/b']
const METHODS = [
  ...Array<string>(8).fill('GET'),
  'POST',
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'POST',
  'DELETE',
  'OPTIONS',
  'PUT',
  'BREW',
  '__proto__',
  'get',
]
const QUERIES = [
  '',
  '',
  'after=start',
  'after=now&wait=0',
  'transport=sse',
  'transport=poll&last=3',
  'type=price',
  'end',
  'type=downlink:gap',
  'match=a.**&limit=2',
  'fields=channel,time',
  'wait=30',
  'ticket=x',
  'tick%65t=x&transport=sse',
  'access_token=x',
  'x=1',
]
const SECRET = 'a secret of at least thirty-two bytes'
/** Of somebody, until the year 2100. */
const TOKEN = tokenOf({
  sub: 'alice',
  exp: 4_102_444_800,
  downlink: { read: ['a', 'user.{sub}'], publish: ['a'] },
})
const RULES: readonly Rule[] = [
  { channels: 'b.**', allow: ['read'], to: 'anyone' },
  { channels: ['a', 'c.**'], allow: ['read', 'publish', 'end'] },
  { allow: ['inspect'], to: ['alice'] },
]
let authorize: Promise<Authorize> | undefined

function tokenOf(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'HS256' })}.${part(claims)}`
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`
}

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  [
    'accept',
    [
      '*/*',
      'text/event-stream',
      'application/json',
      'text/html',
      'text/event-stream, application/problem+json',
    ],
  ],
  ['last-event-id', ['nonsense', 'k-1', '']],
  ['prefer', ['wait=0', 'wait=5']],
  ['origin', ['http://localhost', 'https://named.example', 'https://evil.example', 'null']],
  ['sec-fetch-site', ['same-origin', 'cross-site']],
  [
    'content-type',
    [
      'application/x-ndjson',
      'text/plain; charset=utf-8',
      'text/plain;charset=latin1',
      'multipart/form-data',
      'application/json',
    ],
  ],
  ['content-encoding', ['gzip', 'identity']],
  ['idempotency-key', ['one', 'two', '', 'é']],
  ['if-none-match', ['*', 'W/"x"', '"', 'W/'.repeat(500)]],
  ['accept-encoding', ['gzip, br, zstd', 'gzip;q=0', '*']],
  ['access-control-request-method', ['POST']],
  ['authorization', ['Bearer x', 'Basic eDp5', `Bearer ${TOKEN}`]],
  ['cookie', [`__Host-downlink=${TOKEN}`, '__Host-downlink=x', 'a=b']],
  ['x-request-id', ['given', 'a b']],
  ['user-agent', ['node', 'Mozilla/5.0']],
]
const BODIES = [
  '{"channels":["a"]}',
  '{"subject":"alice","revoke":false}',
  '{"channels":"a","__proto__":{}}',
  '',
  'plain text',
  '{"data":"a"}\n{"type":"price","data":1}',
  '{"data":"a"}\nnonsense',
  '\ud800',
  'id: 1\ndata: a\n\n',
]
const HOST: readonly [string, string] = ['host', 'localhost']

export const request: Target<Input> = {
  name: 'request',
  claim:
    'Every request has an answer that the protocol knows, with sound headers, and never a fault of the hub.',
  count: 1_000_000,
  short: 3_000,
  corpus: PATHS.flatMap((path) =>
    ['GET', 'POST', 'DELETE', 'OPTIONS'].map((method) => ({
      method,
      path,
      query: '',
      headers: [HOST],
      body: 'x',
      ruled: false,
    })),
  ),
  make(random) {
    const path = random.oneIn(2)
      ? random.pick(READ)
      : random.oneIn(3)
        ? mutateText(random, random.pick(PATHS), ['/', '%', '%2e', ',', '*', '**', '.'])
        : random.pick(PATHS)
    const query = random.oneIn(4)
      ? mutateText(random, random.pick(QUERIES), ['&', '=', '%', 'after='])
      : random.pick(QUERIES)
    return {
      method: random.pick(METHODS),
      path: targetSafe(path),
      query: targetSafe(query),
      headers: [
        random.oneIn(60) ? (['host', 'evil.example'] as const) : HOST,
        ...random.list(4, () => headerFor(random)),
      ],
      body: random.oneIn(3)
        ? mutateText(random, random.pick(BODIES), ['\n', '{"data":"x"}', '"'])
        : random.pick(BODIES),
      ruled: random.oneIn(2),
    }
  },
  async check(input) {
    const { handlers, hub, errors } = await served()
    const handler = input.ruled ? handlers.ruled : handlers.open
    const answer = await handler.begin(requestOf(input))
    const settled = isLater(answer) ? await answer.later(GONE) : answer
    mustNotPollute()
    must(errors.length === 0, `the hub reports ${String(errors[0])}`)
    mustBeSound(settled)
    if (!input.ruled && input.headers.some(([, value]) => value === 'evil.example'))
      must(settled.status === 403, 'a name of another machine passes')
    if (isStream(settled)) return mustStream(settled, hub)
    return mustBeWhole(settled, input.method)
  },
}

interface Served {
  readonly hub: Hub
  readonly handlers: { readonly open: Handler; readonly ruled: Handler }
  readonly errors: unknown[]
}

/** Requests of one hub: it remembers what it was told, as it must. */
const SERVED = 5_000
let current: Served | undefined
let left = 0

async function served(): Promise<Served> {
  if (current !== undefined && left-- > 0 && current.errors.length === 0) return current
  await current?.hub.close()
  const errors: unknown[] = []
  const unlimited = {
    publishesPerSubject: Infinity,
    publishesPerChannel: Infinity,
    ticketsPerSubject: Infinity,
  }
  const hub = createHub({
    limits: unlimited,
    retention: [{ channels: '**', count: 5 }],
    onError: (error) => errors.push(error),
  })
  await hub.publish('a', 'the first')
  left = SERVED
  const options = { origins: ['https://named.example'], compress: ['a'] }
  authorize ??= createAuthorizer({ rules: RULES, jwt: { secret: SECRET, tokenInUrl: true } })
  const handlers = {
    open: new Handler(hub, options),
    ruled: new Handler(hub, { ...options, authorize: await authorize, ticketSecret: SECRET }),
  }
  return (current = { hub, handlers, errors })
}

function requestOf({ method, path, query, headers, body }: Input): HttpRequest {
  const values = new Map<string, string>(headers)
  return {
    method,
    path,
    query,
    header: (name) => values.get(name),
    headerNames: () => values.keys(),
    address: '127.0.0.1',
    scheme: 'http',
    body: () => Promise.resolve(new TextEncoder().encode(body)),
    signal: new AbortController().signal,
    raw: undefined,
  }
}

/** Whoever asked is gone, so no long poll waits. */
const GONE = { aborted: true, addEventListener() {}, removeEventListener() {} }

function mustBeSound({ status, headers }: Answer): void {
  must(status !== 500 && status >= 200 && status < 600, `the status is ${status}`)
  for (const [name, value] of Object.entries(headers)) {
    must(/^[a-z0-9-]+$/.test(name), 'the name of a header is none')
    must(/^[\x20-\x7e]*$/.test(value), 'the value of a header may end it')
  }
  must('vary' in headers, 'a cache could mix it up')
  must(
    headers['access-control-allow-origin'] !== 'https://evil.example',
    'an origin that nobody named is let in',
  )
}

function mustBeWhole({ status, headers, body }: WholeAnswer, method: string): string {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  const type = headers['content-type'] ?? ''
  if (type !== 'application/problem+json') {
    must(status < 400 || status === 503, 'a refusal is no problem document')
    if (
      headers['content-encoding'] === undefined &&
      text.includes('"events":') &&
      !text.includes('"channels":[{')
    )
      parsePage(text)
    return `${method} ${status}`
  }
  const problem = JSON.parse(text) as {
    code: keyof typeof PROBLEMS
    status: number
    detail: string
    type: string
  }
  must(
    PROBLEMS[problem.code][0] === status && problem.status === status,
    'the status is not that of the code',
  )
  must(problem.type === `urn:downlink:problem:${problem.code}`, 'the type is not that of the code')
  must(problem.code !== 'internal', 'the hub failed')
  mustBeShort(problem.detail)
  must(!text.includes(TOKEN.slice(-20)), 'a refusal tells of a token')
  return problem.code
}

/** Read for a turn, and then cut. */
async function mustStream(answer: Extract<Answer, { open: unknown }>, hub: Hub): Promise<string> {
  const chunks: Uint8Array[] = []
  const coded = answer.headers['content-encoding'] !== undefined
  const reader = answer.open({ write: (bytes) => chunks.push(bytes) > 0, end() {}, abort() {} })
  await turn()
  reader.closed()
  must(hub.delivery.readers === 0, 'a reader is left behind')
  if (coded) return 'coded stream'
  let first: string | undefined
  const parser = createParser({
    onEvent({ type }) {
      first ??= type
      must(
        !isControlType(type) || /^downlink:(?:open|gap|end|cursor)$/.test(type),
        'the hub says what nobody knows',
      )
    },
  })
  for (const chunk of chunks) parser.feed(chunk)
  must(first === 'downlink:open', 'a stream does not begin with its opening')
  return 'stream'
}

function headerFor(random: Random): readonly [string, string] {
  const [name, values] = random.pick(HEADERS)
  if (random.oneIn(4)) return [name, headerSafe(mutateText(random, random.pick(values), NASTY))]
  return [name, random.pick(values)]
}

/** What Node's parser lets through in a target: no blanks, no control characters. */
function targetSafe(text: string): string {
  const visible = text.replace(/[\0-\x20\x7f]/g, '')
  return visible.replace(/[^\0-\x7f]+/g, (characters) => encodeURIComponent(characters.toWellFormed()))
}
