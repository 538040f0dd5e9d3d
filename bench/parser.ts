/**
 * The claim: `createParser` is never slower than npm `eventsource-parser` behind a streaming `TextDecoder`, fed the same chunks of
 * bytes, and 1.5 times as fast on the geometric mean of chat tokens, small events, events of 1 kB, one line of 8 MiB, and single bytes.
 *
 *   node --conditions=@downlink/source bench/parser.ts          # these five
 *   node --conditions=@downlink/source bench/parser.ts --all    # and many more, each in chunks of all sizes
 *
 * What guards it: both must tell the same events, by a hash of every type, data and id, or it ends without a figure. Both are warmed on
 * all workloads first, so that neither is compiled for just one, and take turns; each sample has a new parser. Figures are medians of
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
  readonly chunks: readonly Uint8Array[]
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
  'one line of 8 MiB': [1, () => `data: ${'x'.repeat(8 * MIB)}\n\n`],
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

/** The five of the claim; tokens and small events both as they come alone, and many at a time. */
function claimedWorkloads(): readonly Workload[] {
  const five: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
    ['chat tokens', 'each alone', byEvent(bytesOf('chat tokens'))],
    ['small events', '16 KiB', inChunksOf(bytesOf('small events'), 16 * 1024)],
    ['events of 1 kB', '16 KiB', inChunksOf(bytesOf('events of 1 kB'), 16 * 1024)],
    ['one line of 8 MiB', '64 KiB', inChunksOf(bytesOf('one line of 8 MiB'), 64 * 1024)],
    ['small, id and event', '1 byte', inChunksOf(bytesOf('small, id and event').subarray(0, MIB / 4), 1)],
  ]
  return five.map(([stream, how, chunks]) => ({ name: `${stream}; ${how}`, chunks, claimed: true }))
}

function otherWorkloads(): readonly Workload[] {
  return Object.keys(STREAMS).flatMap((stream) => {
    const bytes = bytesOf(stream)
    const some = (name: string, chunks: readonly Uint8Array[]) => ({
      name: `${stream}; ${name}`,
      chunks,
      claimed: false,
    })
    return [
      // A part will do for these, but not of the one line.
      ...(stream === 'one line of 8 MiB'
        ? []
        : [
            some('1 byte', inChunksOf(bytes.subarray(0, MIB / 8), 1)),
            some('20 bytes', inChunksOf(bytes.subarray(0, MIB), 20)),
          ]),
      some('200 bytes', inChunksOf(bytes, 200)),
      some('each alone', byEvent(bytes)),
      some('1 KiB', inChunksOf(bytes, 1024)),
      some('4 KiB', inChunksOf(bytes, 4 * 1024)),
      some('64 KiB', inChunksOf(bytes, 64 * 1024)),
      some('1 MiB', inChunksOf(bytes, MIB)),
      some('whole', [bytes]),
    ]
  })
}

function told(contestant: Contestant, { chunks }: Workload): string {
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
function sample(contestant: Contestant, { chunks }: Workload, times: number): number {
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

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] as number
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

const workloads = [...claimedWorkloads(), ...(process.argv.includes('--all') ? otherWorkloads() : [])]

for (const workload of workloads) {
  const [one, other] = [told(ours, workload), told(theirs, workload)]
  check(!one.startsWith('0 '), `no events of ${workload.name}`)
  check(one === other, `${workload.name}: ours told ${one}; theirs ${other}`)
}
const measured = workloads.map((workload) => {
  // The second time each is warm, and tells how often it must run to be measured.
  const once = [ours, theirs].map((contestant) => {
    sample(contestant, workload, 1)
    return sample(contestant, workload, 1)
  })
  const times = Math.ceil(SAMPLE_MS / Math.max(0.1, Math.min(...once)))
  return { workload, times, samples: new Map<Contestant, number[]>([ours, theirs].map((one) => [one, []])) }
})
for (let round = 0; round < ROUNDS; round++) {
  for (const { workload, times, samples } of measured) {
    for (const contestant of round % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
      samples.get(contestant)?.push(sample(contestant, workload, times))
    }
  }
}

const ratios = measured.map(({ workload: { name, chunks, claimed }, samples }) => {
  const megabytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0) / 1e6
  const [our, their] = [ours, theirs].map((one) => median(samples.get(one) ?? [])) as [number, number]
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
