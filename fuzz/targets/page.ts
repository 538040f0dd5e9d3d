/** Pages and gaps, as a client reads them from whoever answers. */
import { encodeGap, encodePage, parseGap, parsePage, WireError } from '@downlink/wire'
import { mutateText } from '../mutate.ts'
import { must, mustNotPollute, outcome, type Target } from '../target.ts'

const EVENT = '{"id":"k-1","channel":"a","type":"message","data":"x","time":"2026-01-01T00:00:00.000Z"}'
const GAP = '{"reason":"trimmed","channels":["a","b.**"],"from":"k-1","to":"k-7"}'
const PAGES = [
  `{"events":[${EVENT}],"cursor":"k-1","more":false,"retry":1000}`,
  `{"events":[${EVENT},${EVENT}],"cursor":"k-1","more":true,"retry":0,"gap":${GAP},"ended":["a"]}`,
  '{"events":[],"cursor":"k-1","more":false,"retry":1000,"later":{"unknown":1}}',
  `{"events":[],"cursor":"k-1","more":false,"retry":1000,"gap":{"reason":"new","channels":[],"from":null,"to":"k-7"}}`,
  '{"__proto__":{"events":[],"cursor":"k-1","more":false,"retry":1000}}',
  '{"events":[],"cursor":"k-1\\r\\nX: y","more":false,"retry":1000}',
  GAP,
  '{}',
  '[]',
  'null',
  '',
]
const WORDS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  'null',
  '"k-1"',
  '"__proto__":',
  '"events":',
  '"gap":',
  '"cursor":',
  '1e999',
  EVENT,
]

export const page: Target<string> = {
  name: 'page',
  claim:
    'A page or a gap is refused, or all its members are what they are said to be, and it is written the same again.',
  count: 1_000_000,
  short: 10_000,
  corpus: PAGES,
  make: (random) => mutateText(random, random.pick(PAGES), WORDS),
  check(text) {
    const page = outcome(() => parsePage(text), WireError)
    const gap = outcome(() => parseGap(text), WireError)
    mustNotPollute()
    if ('value' in gap) {
      must(encodeGap(parseGap(encodeGap(gap.value))) === encodeGap(gap.value), 'a gap is written otherwise')
      must(/^[A-Za-z0-9._~-]{1,64}$/.test(gap.value.to), 'it goes on at what is no cursor')
    } else must(gap.code === 'invalid-page', 'the code is another')
    if ('code' in page) {
      must(page.code === 'invalid-page', 'the code is another')
      return 'value' in gap ? 'gap' : 'refused'
    }
    const { events, cursor, more, retry } = page.value
    must(
      encodePage(parsePage(encodePage(page.value))) === encodePage(page.value),
      'a page is written otherwise',
    )
    must(typeof more === 'boolean' && retry >= 0 && Number.isFinite(retry), 'a member is something else')
    for (const token of [cursor, ...events.map(({ id }) => id)])
      must(/^[A-Za-z0-9._~-]{1,64}$/.test(token), 'what is no cursor is taken for one')
    return 'page'
  },
}
