/**
 * The claim: `createParser` is never slower than npm `eventsource-parser` behind a streaming `TextDecoder`, fed the same chunks of
 * bytes, and 1.5 times as fast on the geometric mean of chat tokens, small events, events of 1 kB, one line of 8 MiB, and single bytes.
 *
 *   node --conditions=@downlink/source bench/parser.ts          # these five
 *   node --conditions=@downlink/source bench/parser.ts --all    # and many more, each in chunks of all sizes
 *
 * What guards it: both must tell the same events, by a hash of every type, data and id, or it ends without a figure. Both are warmed on
 * all workloads first, so that neither is compiled for just one, and take turns; each run has a new parser. Figures are medians of
 * CPU time of the whole process, garbage collection and compilation included. It runs in Bun, too.
 */
import { createHash } from 'node:crypto'
import { createParser as createTheirs } from 'eventsource-parser'
import { createParser } from '@downlink/wire'
import { check } from './measure.ts'

const ROUNDS = 15
const MIB = 1024 * 1024
/** A sample takes at least so long: below that, neither clock nor collector is fair. */
const SAMPLE_MS = 15

interface Workload {
  readonly name: string
  /** Made anew each time: a heap full of chunks would make every garbage collection longer. */
  readonly chunks: () => readonly Uint8Array[]
  /** One of the five of the claim. */
  readonly claimed: boolean
}

type OnEvent = (type: string, data: string, id: string) => void

/** Feeds all chunks to a new parser. */
type Contestant = (chunks: readonly Uint8Array[], onEvent: OnEvent) => void

function ours(chunks: readonly Uint8Array[], onEvent: OnEvent): void {
  const parser = createParser({ onEvent: ({ type, data, lastEventId }) => onEvent(type, data, lastEventId) })
  for (const chunk of chunks) parser.feed(chunk)
}

function theirs(chunks: readonly Uint8Array[], onEvent: OnEvent): void {
  const decoder = new TextDecoder()
  const streaming = { stream: true }
  let lastEventId = ''
  const parser = createTheirs({
    onEvent({ event, data, id }) {
      // Theirs has the id of the block only: whoever reads a stream must carry it on.
      if (id !== undefined) lastEventId = id
      onEvent(event ?? 'message', data, lastEventId)
    },
  })
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, streaming))
}

const WORDS = ['The', ' quick', ' brown', ' fox', ' jumps', '.', ' over', ' a', ' lazy', ' dog']
const RUSSIAN = ['Съ', 'ешь', ' ещё', ' этих', ' мягких', ' фран', 'цузских', ' булок', ',', ' 😀']
const word = (i: number) => WORDS[i % WORDS.length] as string
const token = (text: string) =>
  `data: {"id":"chatcmpl-7","choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`

const ONE_LINE = 'one line of 8 MiB'
const STREAMS: Readonly<Record<string, readonly [size: number, block: (i: number) => string]>> = {
  'chat tokens': [2 * MIB, (i) => token(word(i))],
  'bare words': [MIB, (i) => `data: ${word(i)}\n\n`],
  'Russian tokens': [MIB, (i) => `data: {"token":"${RUSSIAN[i % RUSSIAN.length]}"}\n\n`],
  'small events': [2 * MIB, () => `data: ${'x'.repeat(40)}\n\n`],
  'small, id and event': [MIB, (i) => `event: update\nid: ${1_000_000 + i}\ndata: {"n":${i % 100}}\n\n`],
  'small, CRLF': [MIB, (i) => `id: ${i}\r\ndata: ${word(i)}\r\n\r\n`],
  'comments between': [MIB, (i) => `: ${i}\ndata: ${word(i)}\n\n`],
  'three data lines': [MIB, (i) => `data: one\ndata: two\ndata: ${word(i)}\n\n`],
  'of a hub': [
    2 * MIB,
    (i) => `id: 7Rb1-${i}\nchannel: orders.42\ntime: 2026-01-01T00:00:00.000Z\ndata: {"n":${i}}\n\n`,
  ],
  'events of 1 kB': [8 * MIB, () => `data: ${'x'.repeat(992)}\n\n`],
  'Russian, 1 kB': [8 * MIB, () => `data: ${RUSSIAN.join('').repeat(15)}\n\n`],
  [ONE_LINE]: [1, () => `data: ${'x'.repeat(8 * MIB)}\n\n`],
}

function bytesOf(stream: string): Uint8Array {
  const [size, block] = STREAMS[stream] as (typeof STREAMS)[string]
  let text = ''
  for (let i = 0; text.length < size; i++) text += block(i)
  return new TextEncoder().encode(text)
}

function inChunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return chunks
}

/** As a server that writes each event by itself sends them. */
function byEvent(bytes: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = []
  let begin = 0
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== 10 || (bytes[at - 1] !== 10 && bytes[at - 2] !== 10)) continue
    chunks.push(bytes.subarray(begin, at + 1))
    begin = at + 1
  }
  return chunks
}

type Cut = readonly [name: string, cut: (bytes: Uint8Array) => readonly Uint8Array[]]

const BY_BYTE: Cut = ['1 byte', (bytes) => inChunksOf(bytes.subarray(0, MIB / 8), 1)]
const BY_FEW: Cut = ['20 bytes', (bytes) => inChunksOf(bytes.subarray(0, MIB), 20)]
const BY_EVENT: Cut = ['each alone', byEvent]
const by = (name: string, size: number): Cut => [name, (bytes) => inChunksOf(bytes, size)]

const CLAIMED: readonly (readonly [stream: string, cut: Cut])[] = [
  ['chat tokens', BY_EVENT],
  ['small events', by('16 KiB', 16 * 1024)],
  ['events of 1 kB', by('16 KiB', 16 * 1024)],
  [ONE_LINE, by('64 KiB', 64 * 1024)],
  ['small, id and event', BY_BYTE],
]

const CUTS: readonly Cut[] = [
  BY_BYTE,
  BY_FEW,
  by('200 bytes', 200),
  BY_EVENT,
  by('1 KiB', 1024),
  by('4 KiB', 4 * 1024),
  by('64 KiB', 64 * 1024),
  by('1 MiB', MIB),
  ['whole', (bytes) => [bytes]],
]

function workload(stream: string, [name, cut]: Cut, claimed: boolean): Workload {
  return { name: `${stream}; ${name}`, chunks: () => cut(bytesOf(stream)), claimed }
}

function otherWorkloads(): readonly Workload[] {
  return Object.keys(STREAMS).flatMap((stream) => {
    // Of the one line a part has no end.
    const cuts = CUTS.filter((cut) => stream !== ONE_LINE || (cut !== BY_BYTE && cut !== BY_FEW))
    return cuts.map((cut) => workload(stream, cut, false))
  })
}

function told(contestant: Contestant, chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  let events = 0
  contestant(chunks, (type, data, id) => {
    events++
    hash.update(`${type.length} ${data.length} ${id.length} ${type}${data}${id}`)
  })
  return `${events} events, ${hash.digest('hex')}`
}

let sink = 0

/** Milliseconds of CPU that one run over the chunks takes. */
function sample(contestant: Contestant, chunks: readonly Uint8Array[], times: number): number {
  const before = process.cpuUsage()
  for (let left = times; left > 0; left--) {
    contestant(chunks, (type, data, id) => {
      // Reads a character: a string that is yet to be put together is no result.
      sink += type.length + id.length + data.charCodeAt(data.length - 1)
    })
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / times
}

/** Medians of both, which take turns. */
function measure(chunks: readonly Uint8Array[]): readonly [ours: number, theirs: number] {
  const samples = { ours: [] as number[], theirs: [] as number[] }
  // The first run of each is not counted, and tells how often it must run to be measured.
  const once = Math.min(sample(ours, chunks, 1), sample(theirs, chunks, 1))
  const times = Math.ceil(SAMPLE_MS / Math.max(0.1, once))
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 2 === 0) samples.ours.push(sample(ours, chunks, times))
    samples.theirs.push(sample(theirs, chunks, times))
    if (round % 2 === 1) samples.ours.push(sample(ours, chunks, times))
  }
  return [median(samples.ours), median(samples.theirs)]
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] as number
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

const workloads = [
  ...CLAIMED.map(([stream, cut]) => workload(stream, cut, true)),
  ...(process.argv.includes('--all') ? otherWorkloads() : []),
]

for (const { name, chunks } of workloads) {
  const [one, other] = [told(ours, chunks()), told(theirs, chunks())]
  check(!one.startsWith('0 '), `no events of ${name}`)
  check(one === other, `${name}: ours told ${one}; theirs ${other}`)
}
for (let warming = 0; warming < 3; warming++) {
  for (const { chunks } of workloads) for (const contestant of [ours, theirs]) sample(contestant, chunks(), 1)
}
const ratios = workloads.map(({ name, chunks: makeChunks, claimed }) => {
  const chunks = makeChunks()
  const megabytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0) / 1e6
  const [our, their] = measure(chunks)
  const rate = (ms: number) => `${Math.round((megabytes / ms) * 1000).toLocaleString('en')} MB/s`.padStart(11)
  console.log(`${name.padEnd(34)}${rate(our)}   theirs${rate(their)}   ${(their / our).toFixed(2)}`)
  return { ratio: their / our, claimed }
})
const claimed = ratios.filter((one) => one.claimed).map(({ ratio }) => ratio)
console.log(
  `\nThe five: geometric mean ${geometricMean(claimed).toFixed(2)}, least ${Math.min(...claimed).toFixed(2)}`,
)
if (ratios.length > claimed.length) {
  const all = ratios.map(({ ratio }) => ratio)
  console.log(
    `All ${all.length}: geometric mean ${geometricMean(all).toFixed(2)}, least ${Math.min(...all).toFixed(2)}`,
  )
}
if (Number.isNaN(sink)) console.log('An event had no data')
