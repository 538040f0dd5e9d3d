/** Batches as NDJSON: from the text of a body to the bytes that readers are sent. */
import { createParser, encodeEvent, type StreamEvent } from '@downlink/wire'
import { parseNdjson } from '../../packages/hub/src/http/ndjson.ts'
import { Problem } from '../../packages/hub/src/http/problem.ts'
import { type Publication, toBatch } from '../../packages/hub/src/publish.ts'
import { mutateText, NASTY } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, mustNotPollute, outcome, type Target } from '../target.ts'

interface Input {
  readonly text: string
  /** Of lines that have none; `''`: none. */
  readonly type: string
}

const LIMIT = 20
const LINES = [
  '{"data":"a"}',
  '{"type":"price","data":{"bid":1.5,"list":[1,null,true]}}',
  '{"data":null}',
  '{"data":"a\\r\\nb\\rc\\n\\n: not a comment\\ndata: not a line\\n\\n"}',
  '{"data":"x","type":"downlink:gap"}',
  '{"data":"x","type":"a\\nid: 7"}',
  '{"data":"x","type":"a\\u0000"}',
  '{"data":"x","type":""}',
  '{"data":"x","type":null}',
  '{"__proto__":{"data":"x"},"data":"y"}',
  '{"data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
  '{"\\u0064ata":"x","data":"y"}',
  '{"data":"\\ud800","type":"\\udc00"}',
  '{"data":1e400}',
  '{"type":"x"}',
  '{}',
  '[]',
  '"data"',
  '1',
  ' {"data":" leading"} ',
  '\ufeff{"data":"a"}',
  '   ',
  '\r',
  '',
  ...[99, 100, 101, 2_000].map((depth) => `{"data":{"a":${'['.repeat(depth)}"]"${']'.repeat(depth)}}}`),
]

export const ndjson: Target<Input> = {
  name: 'ndjson',
  claim:
    'A batch is refused with its first wrong line, or each line is one event that readers get as it was meant.',
  count: 1_000_000,
  short: 8_000,
  corpus: LINES.flatMap((line) => [
    { text: line, type: '' },
    { text: `{"data":"before"}\n${line}\r\n`, type: 'price' },
  ]),
  make(random) {
    const lines = random.list(random.oneIn(30) ? LIMIT + 4 : 4, () => lineFor(random))
    return { text: lines.join(random.oneIn(10) ? '\r\n' : '\n'), type: random.oneIn(3) ? 'price' : '' }
  },
  check({ text, type }) {
    const given = type === '' ? undefined : type
    const parsed = outcome(() => parseNdjson(text, given, LIMIT), Problem)
    mustNotPollute()
    const expected = expectedOf(text, given)
    if ('code' in parsed) {
      must(
        expected === parsed.code,
        `a batch is refused as ${parsed.code}, and ${JSON.stringify(expected)} was due`,
      )
      return parsed.code
    }
    must(textsOf(parsed.value) === textsOf(expected), 'what was published is another')
    for (const event of toBatch(['a', 'b.c'], parsed.value, { batch: LIMIT * 2, event: Infinity }))
      mustBeOneEvent(event)
    return parsed.value.length === 0 ? 'empty' : 'published'
  },
}

/** As it is stored: data that is no string is its JSON. */
function textsOf(publications: readonly Publication[] | string): string {
  if (typeof publications === 'string') return publications
  const texts = publications.map(({ type, data }) => [
    type,
    typeof data === 'string' ? data : JSON.stringify(data),
  ])
  return JSON.stringify(texts)
}

/** By the words of the protocol, line by line. */
function expectedOf(text: string, type: string | undefined): readonly Publication[] | string {
  const expected: Publication[] = []
  for (const line of text.split('\n')) {
    if (/^\s*$/.test(line)) continue
    if (expected.length === LIMIT) return 'batch-too-large'
    const value = jsonOf(line)
    if (Object.prototype.toString.call(value) !== '[object Object]') return 'invalid-ndjson'
    const members = new Map(Object.entries(value as object))
    const data: unknown = members.get('data')
    if (data === undefined || [...members.keys()].some((name) => name !== 'data' && name !== 'type'))
      return 'invalid-ndjson'
    if (typeof data === 'object' && depthOf(data) > 100) return 'invalid-ndjson'
    const own: unknown = members.has('type') ? members.get('type') : type
    if (own === undefined) {
      expected.push({ data })
      continue
    }
    if (typeof own !== 'string') return 'invalid-ndjson'
    if (own === '' || /[\r\n\0]/.test(own) || own.startsWith('downlink:') || Buffer.byteLength(own) > 255)
      return 'invalid-type'
    expected.push({ data, type: own })
  }
  return expected
}

/** By the brackets of its JSON that are not in strings. */
function depthOf(data: unknown): number {
  let depth = 0
  let deepest = 0
  for (const [bracket] of JSON.stringify(data)
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** No text of a publisher ends a line, an event, or becomes a word of the hub's own. */
function mustBeOneEvent(event: {
  readonly channel: string
  readonly type?: string
  readonly data: string
}): void {
  const got: StreamEvent[] = []
  let others = 0
  const parser = createParser({
    onEvent: (one) => got.push(one),
    onComment: () => others++,
    onRetry: () => others++,
  })
  parser.feed(new TextEncoder().encode(encodeEvent({ id: 'k-1', ...event })))
  const [first] = got
  must(got.length === 1 && others === 0, 'it does not become one event')
  must(first?.data === event.data, 'the data arrives otherwise')
  must(
    first.type === (event.type ?? 'message') && first.lastEventId === 'k-1',
    'the type or the id is another',
  )
  must(!first.type.startsWith('downlink:'), 'it is taken for the hub')
}

function lineFor(random: Random): string {
  switch (random.below(6)) {
    case 0:
      return random.pick(LINES)
    case 1:
      return mutateText(random, random.pick(LINES), ['"', '{', '}', '\\', '\n', '"data":', '"type":"'])
    case 2:
      return JSON.stringify({
        type: random.text([...NASTY, 'a', 'downlink:', 'x'.repeat(80)], 5),
        data: jsonFor(random, 2),
      })
    default:
      return JSON.stringify({ data: jsonFor(random, 3) })
  }
}

function jsonFor(random: Random, depth: number): unknown {
  switch (random.below(depth > 0 ? 6 : 4)) {
    case 0:
      return random.text([...NASTY, 'a', 'data: ', 'id: 1', '\n\n'], 8)
    case 1:
      return random.pick([null, true, false, 0, -1.5, 1e300])
    case 2:
      return random.text('ab c', 40)
    case 3:
      return random.below(1e9)
    case 4:
      return random.list(3, () => jsonFor(random, depth - 1))
    default:
      return Object.fromEntries(
        random.list(3, () => [random.text([...NASTY, 'a', 'b'], 2), jsonFor(random, depth - 1)]),
      )
  }
}
