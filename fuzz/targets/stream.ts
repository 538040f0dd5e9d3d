/** The two parsers of `text/event-stream`, against each other, against the standard written down, and against themselves cut. */
import {
  createParser,
  createSmallParser,
  encodeComment,
  encodeEvent,
  encodeRetry,
  type Parser,
  type ParserOptions,
  WireError,
} from '@downlink/wire'
import { referenceParse } from '../../packages/wire/test/reference-parser.ts'
import { bytesOf, randomStream, STREAM_CASES } from '../../packages/wire/test/stream-corpus.ts'
import { joined, mutateBytes } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, type Target } from '../target.ts'

interface Input {
  /** Fed before, and let go of by `end()`. */
  readonly before: Uint8Array
  readonly bytes: Uint8Array
  /** Lengths of the chunks, in turn; none: byte by byte. */
  readonly chunks: readonly number[]
  /** `maxEventSize`; 0: the default. */
  readonly limit: number
}

type Either = Pick<Parser, 'feed' | 'end' | 'lastEventId'>
type Create = (options: ParserOptions) => Either
type Said = string | number | undefined

const CREATE = [createParser, createSmallParser] as const
const NOTHING = new Uint8Array()

export const stream: Target<Input> = {
  name: 'stream',
  claim: 'Both parsers say what the standard says, whole and cut anywhere, within a limit or refused for it.',
  count: 10_000_000,
  short: 8_000,
  corpus: STREAM_CASES.map(({ bytes }) => ({ before: NOTHING, bytes, chunks: [], limit: 0 })),
  make(random) {
    const bytes = bytesFor(random)
    const most = bytes.length > 4_000 ? 3_000 : 40
    // Small ones are put together, large ones are not: what lies between the two is looked for.
    const small = random.oneIn(4)
      ? [1 + random.below(4), 1 + random.below(4), 64 + random.below(200)]
      : undefined
    return {
      before: random.oneIn(8) ? bytesFor(random) : NOTHING,
      bytes,
      chunks:
        small ??
        (random.oneIn(6) ? [] : [...random.list(5, () => random.below(most)), 1 + random.below(most * 2)]),
      limit: random.oneIn(8) ? 3 + random.below(150) : 0,
    }
  },
  check(input) {
    return input.limit === 0 ? unlimited(input) : limited(input)
  },
}

function unlimited({ before, bytes, chunks }: Input): string {
  const expected = listed(bytes)
  for (const create of CREATE) {
    const recorder = recorderOf(create)
    const { parser, said } = recorder
    parser.feed(bytes)
    mustBeSame(said, expected.said, 'a whole stream is parsed otherwise')
    must(parser.lastEventId === expected.lastEventId, 'the last event ID is another')
    // The same parser goes on: an unfinished block is let go of, and an id stands until there is another.
    if (before.length > 0) parser.feed(before)
    parser.end()
    const { lastEventId } = parser
    said.length = 0
    feedCut(parser, bytes, chunks)
    const again = lastEventId === '' ? expected : listed(bytes, lastEventId)
    mustBeSame(said, again.said, 'a stream cut in pieces, behind another, is parsed otherwise')
    kept.set(create, recorder)
  }
  return expected.said.includes(EVENT) ? 'events' : 'no event'
}

/** Events come before the refusal, and the same wherever the stream was cut. Of comments and the rest that is not promised. */
function limited({ bytes, chunks, limit }: Input): string {
  let label = 'within the limit'
  for (const create of CREATE) {
    const { parser, said } = new Recorder(create, {
      maxEventSize: limit,
      onComment() {},
      onRetry() {},
      onId() {},
    })
    const refused = isRefused(() => parser.feed(bytes))
    if (refused) {
      label = 'beyond the limit'
      must(
        isRefused(() => parser.feed(bytes)),
        'a parser goes on after a refusal',
      )
    }
    const other = new Recorder(create, { maxEventSize: limit, onComment() {}, onRetry() {}, onId() {} })
    const refusedCut = isRefused(() => feedCut(other.parser, bytes, chunks))
    must(refused === refusedCut, 'the limit depends on where a stream is cut')
    mustBeSame(other.said, said, 'what comes before a refusal depends on where a stream is cut')
  }
  return label
}

function isRefused(feed: () => void): boolean {
  try {
    feed()
    return false
  } catch (error) {
    if (error instanceof WireError && error.code === 'event-too-large') return true
    throw error
  }
}

function feedCut(parser: Either, bytes: Uint8Array, chunks: readonly number[]): void {
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    // Lengths of 0 only would never end.
    const length = chunks[turn % chunks.length] ?? 1
    const end = at + (length === 0 && turn >= chunks.length ? 1 : length)
    parser.feed(bytes.subarray(at, end))
    at = end
  }
}

const [EVENT, COMMENT, RETRY, ID] = ['\0event', '\0comment', '\0retry', '\0id']

/** What a parser says, as one flat list: millions of them are compared. */
class Recorder {
  readonly said: Said[] = []
  readonly parser: Either

  constructor(create: Create, options: Partial<ParserOptions>) {
    const { said } = this
    this.parser = create({
      onEvent: ({ type, data, lastEventId, channel, time }) =>
        said.push(EVENT, type, data, lastEventId, channel, time),
      onComment: (text) => said.push(COMMENT, text),
      onRetry: (ms) => said.push(RETRY, ms),
      onId: (id) => said.push(ID, id),
      ...options,
    })
  }
}

const kept = new Map<Create, Recorder>()
const FORGET_ID = new TextEncoder().encode('id\n\n')

/**
 * A parser that has nothing of the last input: after `end()` it is as new but for its id. To make a new one each time would
 * take half of the time, for collecting garbage; one that has found something is not used again.
 */
function recorderOf(create: Create): Recorder {
  const recorder = kept.get(create) ?? new Recorder(create, {})
  kept.delete(create)
  recorder.parser.end()
  if (recorder.parser.lastEventId !== '') recorder.parser.feed(FORGET_ID)
  recorder.parser.end()
  recorder.said.length = 0
  return recorder
}

function listed(bytes: Uint8Array, initialId = ''): { readonly said: Said[]; readonly lastEventId: string } {
  const { reports, lastEventId } = referenceParse(bytes, initialId)
  const said: Said[] = []
  for (const report of reports) {
    if ('event' in report) {
      const { type, data, lastEventId, channel, time } = report.event
      said.push(EVENT, type, data, lastEventId, channel, time)
    } else if ('comment' in report) said.push(COMMENT, report.comment)
    else if ('retry' in report) said.push(RETRY, report.retry)
    else said.push(ID, report.id)
  }
  return { said, lastEventId }
}

function mustBeSame(got: readonly Said[], wanted: readonly Said[], otherwise: string): void {
  let same = got.length === wanted.length
  for (let at = 0; same && at < got.length; at++) same = got[at] === wanted[at]
  if (!same) throw new Error(`${otherwise}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`)
}

function bytesFor(random: Random): Uint8Array {
  // Larger than what a parser holds back, and than the part it decodes at once.
  if (random.oneIn(5_000)) return repeated(random, 5_000)
  if (random.oneIn(100_000)) return repeated(random, 70_000)
  switch (random.below(8)) {
    case 0:
      return mutateBytes(random, random.pick(STREAM_CASES).bytes)
    case 1:
      return joined(mutateBytes(random, random.pick(STREAM_CASES).bytes), random.pick(STREAM_CASES).bytes)
    case 2:
      return mutateBytes(random, written(random))
    case 3:
      return Uint8Array.from(random.list(30, () => random.below(256)))
    default:
      return randomStream((below) => random.below(below), 14)
  }
}

function repeated(random: Random, size: number): Uint8Array {
  const piece = joined(
    randomStream((below) => random.below(below), 14),
    Uint8Array.of(10),
  )
  return joined(...Array<Uint8Array>(Math.ceil(size / piece.length)).fill(piece))
}

/** As a hub would have written it. */
function written(random: Random): Uint8Array {
  const word = (): string => random.text('ab é\u{1F600}:-'.split(''), 8)
  const event = (): string =>
    encodeEvent({
      data: random.text(['a', 'b c', '\n', '\r', ':', 'é', '😀'], 8),
      ...(random.oneIn(2) ? { id: word() } : {}),
      ...(random.oneIn(3) ? { type: `t${word()}` } : {}),
      ...(random.oneIn(3) ? { channel: word() } : {}),
    })
  return bytesOf(
    ...random.list(4, () =>
      random.oneIn(5) ? encodeComment(word()) : random.oneIn(6) ? encodeRetry(random.below(1e6)) : event(),
    ),
  )
}
