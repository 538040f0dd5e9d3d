/** Tickets and tokens in a URL: nothing behind the first look at a query may see them. */
import { keysOf, withoutKeys } from '../../packages/hub/src/http/keys-in-url.ts'
import type { HttpRequest } from '../../packages/hub/src/http/message.ts'
import { Problem } from '../../packages/hub/src/http/problem.ts'
import { mutateText } from '../mutate.ts'
import { must, mustNotPollute, outcome, type Target } from '../target.ts'

const WORDS = [
  'ticket',
  'access_token',
  'ticket=',
  '&',
  '=',
  '%74',
  '%65',
  'tick%65t=',
  '+',
  '__proto__=',
  'after=now',
  ';',
  '#',
]
const CORPUS = [
  'ticket=S',
  'tick%65t=S',
  'after=now&access_token=S',
  'ticket=S&ticket=S',
  'ticket',
  'Ticket=S',
  '%2574icket=S',
  '&&ticket=%',
  'access%5Ftoken=S',
]

export const keys: Target<string> = {
  name: 'keys',
  claim: 'Of a ticket or a token in a URL nothing is left in the query, and of the rest nothing is missing.',
  count: 1_000_000,
  short: 10_000,
  corpus: CORPUS,
  make: (random) =>
    random.oneIn(2) ? random.text(WORDS, 8) : mutateText(random, random.pick(CORPUS), WORDS),
  check(query) {
    // A question mark that comes first is no part of a name.
    if (/(?:^|&)\?/.test(query)) return 'left out'
    const given = [...new URLSearchParams(query)]
    const isKey = ([name]: readonly [string, string]): boolean => name === 'ticket' || name === 'access_token'
    const split = outcome(() => withoutKeys({ query } as HttpRequest), Problem)
    mustNotPollute()
    if ('code' in split) {
      const names = given.filter(isKey).map(([name]) => name)
      must(
        split.code === 'repeated-parameter' && new Set(names).size < names.length,
        'it is refused for nothing',
      )
      return split.code
    }
    const left = [...new URLSearchParams(split.value.query)]
    must(!left.some(isKey), 'a key is left in the query')
    must(String(left) === String(given.filter((pair) => !isKey(pair))), 'something else is missing')
    const { ticket, accessToken } = keysOf(split.value)
    const of = (name: string): string | undefined => given.find(([one]) => one === name)?.[1]
    must(ticket === of('ticket') && accessToken === of('access_token'), 'a key is another')
    return ticket === undefined && accessToken === undefined ? 'no key' : 'a key'
  },
}
