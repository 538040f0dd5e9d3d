/** `Accept`, `Accept-Encoding` and `Prefer`: lists with weights, from strangers. */
import { codingFor } from '../../packages/hub/src/http/encoding.ts'
import { preferredWait, wantsProblem, wantsStream } from '../../packages/hub/src/http/negotiate.ts'
import { headerSafe, mutateText, NASTY } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, type Target } from '../target.ts'

const ACCEPT = [
  'text/event-stream',
  '*/*',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'text/event-stream, application/problem+json;q=0.5',
  'text/event-stream;q=0.5, application/json',
  'application/json; charset=utf-8',
  'text/*;q=0.9;level=1',
  'text/event-stream;q=0',
  'application/problem+json;Q=1.000',
  '',
]
const RANGES = [
  'text/event-stream',
  'application/json',
  'application/problem+json',
  '*/*',
  'text/*',
  'application/*',
  'text/html',
]
const WEIGHTS = [
  '',
  '',
  ';q=1',
  ';q=0',
  ';q=0.5',
  '; Q=0.001',
  ';level=1;q=0.7',
  ';q=2',
  ';q=-1',
  ';q=',
  ';q=x',
  ';q=1e-1',
]

export const accept: Target<readonly string[]> = {
  name: 'accept',
  claim:
    'What `Accept` decides does not depend on order, case and blanks, and a stream goes only to who names it.',
  count: 1_000_000,
  short: 10_000,
  corpus: ACCEPT.map((value) => value.split(',')),
  make(random) {
    const ranges = random.list(6, () => random.pick(RANGES) + random.pick(WEIGHTS))
    if (random.oneIn(2)) return ranges
    return headerSafe(
      mutateText(random, random.oneIn(2) ? ranges.join(', ') : random.pick(ACCEPT), [...RANGES, ...WEIGHTS]),
    ).split(',')
  },
  check(parts) {
    const value = parts.join(',')
    const decided = decisions(value)
    const others = [
      parts.toReversed().join(','),
      parts.join(' ,\t'),
      swapped(value),
      `${value},,`,
      `, ${value}`,
    ]
    for (const other of others)
      must(decisions(other) === decided, `it is decided otherwise for ${JSON.stringify(other)}`)
    const stream = wantsStream(value)
    if (stream === true) must(/text\/event-stream/i.test(value), 'a stream goes to who does not name it')
    if (wantsProblem(value))
      must(/application\/problem\+json/i.test(value), 'a problem goes to who does not name it')
    must(
      wantsStream(`${value},text/event-stream`) === true,
      'who names a stream and wants nothing more gets none',
    )
    must(wantsStream(`${value},application/json`) !== undefined, 'who names JSON gets nothing')
    return `${stream}`
  },
}

function decisions(value: string): string {
  return `${wantsStream(value)} ${wantsProblem(value)}`
}

/** Of ASCII only: no other letter is one of these words in another case. */
function swapped(text: string): string {
  return text.replace(/[a-z]+/gi, (word) =>
    word === word.toLowerCase() ? word.toUpperCase() : word.toLowerCase(),
  )
}

const CODINGS = ['br', 'zstd', 'gzip'] as const
const NAMES = ['br', 'zstd', 'gzip', 'x-gzip', 'identity', '*', 'deflate', 'GZIP', 'gzip;q=1']
const ENCODINGS = [
  'gzip, deflate, br, zstd',
  'gzip;q=0',
  'identity;q=0.5, *;q=0',
  '*',
  'br;q=1.0, gzip;q=0.8, *;q=0.1',
  'identity',
  '',
]

export const encoding: Target<readonly string[]> = {
  name: 'encoding',
  claim:
    'The coding is one that was offered, and none is liked better; nothing is coded for who does not ask.',
  count: 1_000_000,
  short: 10_000,
  corpus: ENCODINGS.map((value) => value.split(',')),
  make(random) {
    const names = random.list(6, () => random.pick(NAMES) + random.pick(WEIGHTS))
    if (random.oneIn(2)) return names
    return headerSafe(
      mutateText(random, random.oneIn(2) ? names.join(', ') : random.pick(ENCODINGS), [...NAMES, ...WEIGHTS]),
    ).split(',')
  },
  check(parts) {
    const value = parts.join(',')
    const chosen = codingFor(value, CODINGS)
    must(codingFor(parts.join(' , '), CODINGS) === chosen, 'blanks decide')
    must(codingFor(swapped(value), CODINGS) === chosen, 'case decides')
    must(
      codingFor(value, []) === undefined && codingFor(undefined, CODINGS) === undefined,
      'there is nothing to choose from',
    )
    for (const only of CODINGS) {
      const alone = codingFor(value, [only])
      must(alone === undefined || alone === only, 'it is one that was not offered')
      if (chosen === only) must(alone === only, 'with fewer to choose from it is refused')
      if (chosen === undefined) must(alone === undefined, 'with fewer to choose from there is one')
    }
    if (chosen !== undefined) {
      must(value.includes('*') || value.toLowerCase().includes(chosen), 'nobody asked for it')
      must(codingFor(`${value},${chosen};q=0`, [chosen]) === undefined, 'who refuses it gets it')
    }
    return `${chosen}`
  },
}

const PREFER = [
  'wait=30',
  'respond-async, wait=10',
  'wait="5"',
  'WAIT = 7 ; foo=bar',
  'handling=lenient',
  'wait=99999999999',
  '',
  'wait=1,wait=2',
]

export const prefer: Target<string> = {
  name: 'prefer',
  claim: '`Prefer` gives a whole number of seconds or nothing, and the first `wait` counts.',
  count: 1_000_000,
  short: 10_000,
  corpus: PREFER,
  make(random: Random) {
    if (random.oneIn(3)) return headerSafe(random.text([...NASTY, 'wait', '=', '1', ',', ';', ' '], 10))
    return headerSafe(mutateText(random, random.pick(PREFER), ['wait=', ', wait=3', ';', '"', ' ']))
  },
  check(value) {
    const wait = preferredWait(value)
    must(
      wait === undefined || (Number.isInteger(wait) && wait >= 0 && wait < 1e9),
      'it is no number of seconds',
    )
    must(preferredWait(`wait=7,${value}`) === 7, 'the first one does not count')
    if (wait !== undefined) must(value.toLowerCase().includes('wait'), 'nobody asked to wait')
    return wait === undefined ? 'nothing' : 'a wait'
  },
}
