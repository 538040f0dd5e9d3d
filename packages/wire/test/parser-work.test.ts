/** That the work of the parser is linear, counted instead of timed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordingParser } from './recorder.ts'
import { bytesOf, chunksOf } from './stream-corpus.ts'

/** How many bytes are decoded, and how many characters are looked at, by the means that the parser has for it. */
function countingWork(work: () => void): { decoded: number; lookedAt: number } {
  const { prototype: strings } = String
  const { prototype: decoders } = TextDecoder
  const before = {
    strings: Object.getOwnPropertyDescriptors(strings),
    decoders: Object.getOwnPropertyDescriptors(decoders),
  }
  let decoded = 0
  let lookedAt = 0
  strings.indexOf = function (what, from = 0) {
    const index = Reflect.apply(before.strings.indexOf.value as typeof this.indexOf, this, [what, from])
    lookedAt += (index < 0 ? this.length : index + 1) - from
    return index
  }
  strings.includes = function (what, from = 0) {
    return this.indexOf(what, from) >= 0
  }
  strings.charCodeAt = function (at) {
    lookedAt++
    return Reflect.apply(before.strings.charCodeAt.value as typeof this.charCodeAt, this, [at])
  }
  decoders.decode = function (input, options) {
    decoded += input?.byteLength ?? 0
    return Reflect.apply(before.decoders.decode.value as typeof this.decode, this, [input, options])
  }
  try {
    work()
  } finally {
    Object.defineProperties(strings, before.strings)
    Object.defineProperties(decoders, before.decoders)
  }
  return { decoded, lookedAt }
}

for (const [name, stream] of [
  ['one line', `data: ${'x'.repeat(100_000)}\n\n`],
  ['one line that is not ASCII', `data: ${'é'.repeat(100_000)}\n\n`],
  ['lines that CR ends', 'data:x\r'.repeat(15_000)],
  ['lines that CRLF ends', 'data:x\r\n'.repeat(15_000)],
  ['lines that LF ends before one CR', `${'data:x\n'.repeat(15_000)}\r`],
  ['lines that CR ends before one LF', `${'data:x\r'.repeat(15_000)}\n`],
  ['lines without a colon', 'x\n'.repeat(50_000)],
  ['simple blocks', 'id: 1\nevent: a\ndata: x\n\n'.repeat(5000)],
  ['simple blocks, and others after each', 'data: x\n\nid: 1\nretry: 1\ndata: x\n\n'.repeat(3000)],
  ['simple blocks before a long line', `${'data: x\n\n'.repeat(5000)}data: ${'x'.repeat(50_000)}`],
  ['blank lines', '\n\r'.repeat(50_000)],
] as const) {
  test(`decodes each byte once, and looks at each character at most 8 times: ${name}`, () => {
    const bytes = bytesOf(stream)
    for (const size of [1, 7, 63, 1000, 65_536, bytes.length]) {
      const chunks = chunksOf(bytes, size)
      const { parser } = recordingParser()
      const { decoded, lookedAt } = countingWork(() => chunks.forEach((chunk) => parser.feed(chunk)))
      assert.ok(decoded <= bytes.length, `${decoded} bytes decoded of ${bytes.length}, in chunks of ${size}`)
      assert.ok(lookedAt <= 8 * stream.length, `${lookedAt / stream.length} looks, in chunks of ${size}`)
    }
  })
}
