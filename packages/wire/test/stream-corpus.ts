/**
 * Byte streams that are hard on parsers of `text/event-stream`: named cases, and random ones made from nasty pieces.
 * Every parser under test is fed from here: ours, the reference, npm `eventsource-parser`, and the browsers' own.
 */

export interface StreamCase {
  readonly name: string
  readonly bytes: Uint8Array
}

const encoder = new TextEncoder()

/** A stream from texts (as UTF-8) and raw bytes. */
export function bytesOf(...pieces: readonly (string | ArrayLike<number>)[]): Uint8Array {
  const parts = pieces.map((piece) =>
    typeof piece === 'string' ? encoder.encode(piece) : Uint8Array.from(piece),
  )
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const BOM = '\uFEFF'
const LF = 10

/** One case for each thing that the standard says about a stream. They end with a blank line unless that is the point. */
export const STREAM_CASES: readonly StreamCase[] = [
  ['nothing', bytesOf()],
  ['one event', bytesOf('data: a\n\n')],
  ['an unfinished event', bytesOf('data: a\n\ndata: b\n')],
  ['an unfinished line', bytesOf('data: a\n\ndata: b')],
  ['CR ends', bytesOf('data: a\rdata: b\r\rdata: c\r\r')],
  ['CRLF ends', bytesOf('data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n')],
  ['mixed ends', bytesOf('data: a\ndata: b\r\ndata: c\r\r\ndata: d\n\rdata: e\r\n\n')],
  ['LF CR is two ends', bytesOf('data: a\n\rdata: b\n\r')],
  ['CR CRLF is two ends', bytesOf('data: a\r\r\ndata: b\r\r\n')],
  ['CRLF CR is two ends', bytesOf('data: a\r\n\rdata: b\r\n\r')],
  ['blank lines only', bytesOf('\n\r\r\n\n\n')],
  ['a byte order mark', bytesOf(BOM, 'data: a\n\n')],
  ['two byte order marks', bytesOf(BOM, BOM, 'data: a\n\ndata: b\n\n')],
  ['a byte order mark before a blank line', bytesOf(BOM, '\ndata: a\n\n')],
  ['a byte order mark before a comment', bytesOf(BOM, ': a\ndata: b\n\n')],
  ['a byte order mark later on', bytesOf('data: a\n\n', BOM, 'data: b\n\ndata: c\n\n')],
  ['a byte order mark in a value', bytesOf(`data: ${BOM}a${BOM}\n\n`)],
  ['half a byte order mark', bytesOf([0xef, 0xbb], 'data: a\n\ndata: b\n\n')],
  ['the UTF-8 of a byte order mark seen as Latin-1', bytesOf('ï»¿data: a\n\ndata: b\n\n')],
  ['no space', bytesOf('data:a\n\n')],
  ['two spaces', bytesOf('data:  a \n\n')],
  ['a tab', bytesOf('data:\ta\n\n')],
  ['no colon', bytesOf('data\n\n')],
  ['no colon, twice', bytesOf('data\ndata\n\n')],
  ['an empty value', bytesOf('data:\n\n')],
  ['an empty value after a space', bytesOf('data: \n\n')],
  ['empty lines of data', bytesOf('data:\ndata: \ndata\n\n')],
  ['a first line without text', bytesOf('data:\ndata: a\n\n')],
  ['colons in a value', bytesOf('data: a:b: c\ndata::\n\n')],
  [
    'other cases and blanks in names',
    bytesOf('Data: a\n data: b\ndata : c\nDATA: d\ndata\0: e\nda-ta: f\n\n'),
  ],
  ['names that begin alike', bytesOf('dat: a\ndatas: b\ndata2\nidx: c\nevents: d\nretry2: 5\n\n')],
  ['comments', bytesOf(': a\n:b\n:\n::c\n:  d\ndata: e\n: f\ndata: g\n\n: h\n')],
  ['a comment with data in it', bytesOf(':data: a\n\n')],
  ['a type', bytesOf('event: a\ndata: b\n\ndata: c\n\n')],
  ['the last type', bytesOf('event: a\nevent: b\ndata: c\n\n')],
  ['a type taken back', bytesOf('event: a\nevent:\ndata: c\n\nevent: a\nevent\ndata: c\n\n')],
  ['a type without data', bytesOf('event: a\n\ndata: b\n\n')],
  ['the type message', bytesOf('event: message\ndata: b\n\n')],
  ['the types open and error', bytesOf('event: open\ndata: a\n\nevent: error\ndata: b\n\n')],
  ['an id', bytesOf('id: 1\ndata: a\n\ndata: b\n\n')],
  ['an id without data', bytesOf('id: 1\n\ndata: a\n\n')],
  ['an id taken back', bytesOf('id: 1\ndata: a\n\nid\ndata: b\n\nid: 2\ndata: c\n\nid:\ndata: d\n\n')],
  ['an id after the data', bytesOf('data: a\nid: 1\n\n')],
  ['an id with a NUL', bytesOf('id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid: \0\ndata: c\n\n')],
  ['an id with a NUL after a good one', bytesOf('id: 1\nid: 2\0\ndata: a\n\n')],
  ['an unfinished id', bytesOf('id: 1\ndata: a\n\nid: 2\ndata: b\n')],
  ['an id that is not ASCII', bytesOf('id: …é😀\ndata: a\n\n')],
  ['retry', bytesOf('retry: 1\nretry:2\nretry: 03000\n\ndata: a\n\n')],
  [
    'retry that is no number',
    bytesOf('retry: 1a\nretry: -1\nretry: 1.5\nretry:  1\nretry: 1 \nretry:\nretry\nretry: 0x1\n\n'),
  ],
  ['retry in other digits', bytesOf('retry: ٣\nretry: １\n\n')],
  ['retry beyond numbers', bytesOf(`retry: ${'9'.repeat(400)}\n\n`)],
  ['NUL in data', bytesOf('data: a\0b\n\n\0\ndata: c\n\n')],
  ['lines that only Unicode ends', bytesOf('data: a\u0085b\u2028c\u2029d\u000Be\u000Cf\n\n')],
  ['two, three and four bytes', bytesOf('data: é…😀\n\n')],
  ['bytes that are not UTF-8', bytesOf('data: ', [0xff, 0xfe, 0x80, 0xc0, 0xaf], '\n\n')],
  [
    'sequences cut short',
    bytesOf(
      'data: ',
      [0xf0, 0x9f, 0x98],
      '\ndata: ',
      [0xe2, 0x80],
      'x\n',
      [0xc3],
      '\ndata: ',
      [0xc3],
      '\n\n',
    ),
  ],
  ['surrogates in UTF-8', bytesOf('data: ', [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80], '\n\n')],
  ['overlong sequences', bytesOf('data: ', [0xe0, 0x80, 0x8a, 0xc0, 0x8a, 0xf0, 0x80, 0x80, 0x8a], '\n\n')],
  ['beyond Unicode', bytesOf('data: ', [0xf4, 0x90, 0x80, 0x80, 0xf5, 0x80, 0x80, 0x80], '\n\n')],
  ['a sequence that runs into a line end', bytesOf('data: a', [0xe2], '\r\ndata: b', [0xf0, 0x9f], '\r\r')],
  [
    'channel and time',
    bytesOf('id: a-1\nchannel: orders.42\ntime: 2026-01-01T00:00:00.000Z\ndata: a\n\ndata: b\n\n'),
  ],
  ['an empty channel', bytesOf('channel\ntime:\ndata: a\n\n')],
].map(([name, bytes]) => ({ name, bytes }) as StreamCase)

const TEXT_PIECES: readonly string[] = [
  ['\n', '\n', '\n', '\n\n', '\r', '\r\r', '\r\n', '\r\n\r\n', '\n\r'],
  [
    ':',
    ': ',
    ' ',
    '\t',
    '\0',
    'a',
    'b c',
    '0',
    '12',
    'é',
    '…',
    '😀',
    BOM,
    '\u0085',
    '\u2028',
    'x'.repeat(40),
  ],
  ['data', 'data:', 'data: ', 'data: x\n', 'data: x\n\n', 'data:\n', 'data\n', ' data: ', 'Data: '],
  ['event', 'event:', 'event: t\n', 'event: message\n', 'event:\n'],
  ['id', 'id:', 'id: 7\n', 'id\n', 'id: \0\n', 'retry', 'retry:', 'retry: 10\n', 'retry: 1x\n'],
  [
    ': comment\n',
    ':\n',
    'channel: c\n',
    'channel',
    'time: t\n',
    'time:',
    'unknown: y\n',
    'xdata: y\n',
    'xid: 9\n',
  ],
  ['data: one\r\ndata: two\r\n\r\n', 'id: 8\nevent: t\ndata: three\n\n'],
].flat()

const BYTE_PIECES: readonly ArrayLike<number>[] = [
  [[0xef], [0xbb], [0xbf], [0xc3], [0xe2, 0x80], [0xf0, 0x9f], [0xf0, 0x9f, 0x98]],
  [[0x80], [0xff], [0xc0], [0xed, 0xa0, 0x80]],
].flat()

const PIECES: readonly ArrayLike<number>[] = [
  ...TEXT_PIECES.map((piece) => encoder.encode(piece)),
  ...BYTE_PIECES,
]

/** Random numbers that a seed gives again: `mulberry32`. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** A random stream of up to `pieces` nasty pieces; sometimes with a byte order mark, and mostly with an end to its last event. */
export function randomStream(random: (below: number) => number, pieces = 40): Uint8Array {
  const parts: ArrayLike<number>[] = random(4) === 0 ? [encoder.encode(BOM)] : []
  for (let left = random(pieces + 1); left > 0; left--) parts.push(PIECES[random(PIECES.length)] ?? [])
  if (random(3) > 0) parts.push([LF, LF])
  return bytesOf(...parts)
}

/** The named cases and `count` random ones, which `seed` gives again. */
export function streamCorpus(seed: number, count: number): readonly StreamCase[] {
  const random = seeded(seed)
  const cases = [...STREAM_CASES]
  for (let i = 0; i < count; i++)
    cases.push({ name: `random stream ${i} of seed ${seed}`, bytes: randomStream(random) })
  return cases
}

/** Random cuts: chunks of 0 to `most` bytes. */
export function split(
  bytes: Uint8Array,
  random: (below: number) => number,
  most = 12,
): readonly Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + random(most + 1)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

/** Chunks of `size` bytes, the last one shorter. */
export function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return chunks
}
