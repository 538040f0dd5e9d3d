/** The pieces of a coded stream: sums, packed and stored pieces, and that any of them can stand behind any other. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { CodedSink } from '../src/delivery/coded-sink.ts'
import { type Coder, coderOf, CODINGS } from '../src/delivery/coding/coding.ts'
import { add, EMPTY, join, rest, type Sum, sumOf } from '../src/delivery/coding/crc32.ts'
import { codedParts, type Part, SMALLEST } from '../src/delivery/coding/parts.ts'
import { Random } from './simulation/random.ts'
import { RecordingSink } from './simulation/stage.ts'
import { decodeFrames } from './zstd-frames.ts'

const coders: readonly Coder[] = CODINGS.flatMap((coding) => coderOf(coding) ?? [])
const decode = { gzip: gunzipSync, zstd: decodeFrames }
const bytes = fc.uint8Array({ maxLength: 300 })
const sum: fc.Arbitrary<Sum> = fc
  .tuple(fc.nat(0xffffffff), fc.nat(2 ** 40))
  .map(([crc, length]) => ({ crc, length }))

/** Nothing that can be made smaller. */
function noise(length: number, seed = 1): Buffer {
  const random = new Random(seed)
  return Buffer.from(Uint8Array.from({ length }, () => random.int(0, 255)))
}

/** One stream of one piece. */
function whole(coder: Coder, content: Uint8Array, piece: Uint8Array): Buffer {
  const sink = new RecordingSink(coder.coding)
  const coded = new CodedSink(sink, coder)
  coded.writePiece(Buffer.alloc(0), piece, sumOf(content))
  coded.end()
  return decode[coder.coding](Buffer.concat(sink.writes))
}

describe('sums', () => {
  test('the sum of bytes is their CRC-32 and their length, however they come in pieces', () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const both = Buffer.concat([first, second])
        const wanted = { crc: crc32(both), length: both.length }
        assert.deepEqual(sumOf(both), wanted)
        assert.deepEqual(add(sumOf(first), second), wanted)
        assert.deepEqual(join(sumOf(first), sumOf(second)), wanted)
      }),
    )
  })

  test('what came after the first part is known from the whole and the first part', () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        assert.deepEqual(rest(sumOf(Buffer.concat([first, second])), sumOf(first)), sumOf(second))
      }),
    )
  })

  test('sums of terabytes are joined in any order, and taken apart again', () => {
    fc.assert(
      fc.property(sum, sum, sum, (one, two, three) => {
        const joined = join(join(one, two), three)
        assert.deepEqual(join(one, join(two, three)), joined)
        assert.deepEqual(rest(joined, one), join(two, three))
        assert.deepEqual(join(EMPTY, one), one)
        assert.deepEqual(join(one, EMPTY), one)
      }),
    )
  })

  test('a sum moves by exactly as many zeros as follow, also by 200,000', () => {
    const zeros = new Uint8Array(200_000)
    const first = Buffer.from('first')
    assert.deepEqual(join(sumOf(first), sumOf(zeros)), sumOf(Buffer.concat([first, zeros])))
  })
})

test('gzip and zstd work on this runtime, and identity has no coder', () => {
  assert.deepEqual(
    coders.map(({ coding }) => coding),
    ['gzip', 'zstd'],
  )
  assert.equal(coderOf('identity'), undefined)
})

for (const coder of coders) {
  describe(coder.coding, () => {
    // Stored blocks of gzip end at 65,535; deflate gives 16 Ki at a time.
    const sizes = [1, 2, 511, 16_384, 65_535, 65_536, 131_070, 131_071, 1_500_000]

    test('stored pieces of any size give back what is in them', () => {
      for (const size of sizes) {
        const content = noise(size)
        assert.ok(whole(coder, content, coder.stored(content)).equals(content), `${size} bytes`)
      }
    })

    test('packed pieces of any size give back what is in them, also what can’t be made smaller', () => {
      for (const size of sizes) {
        const content = noise(size)
        assert.ok(whole(coder, content, coder.packed(content)).equals(content), `${size} bytes of noise`)
        const text = Buffer.alloc(size, 'data: {"price":1}\n\n')
        const packed = coder.packed(text)
        assert.ok(whole(coder, text, packed).equals(text), `${size} bytes of text`)
        if (size > 500) assert.ok(packed.length < size / 4)
      }
    })

    test('packed pieces whose end meets the end of a chunk of output lose nothing', () => {
      for (let size = 16_350; size < 16_400; size++) {
        const content = noise(size)
        assert.ok(whole(coder, content, coder.packed(content)).equals(content), `${size} bytes`)
      }
    })

    test('a stored piece costs a few bytes for each block', () => {
      for (const size of sizes) {
        const blocks = { gzip: 5 * Math.ceil(size / 65_535), zstd: 24 + 3 * Math.ceil(size / 131_072) }
        assert.ok(coder.stored(noise(size)).length <= size + blocks[coder.coding])
      }
    })

    test('a stream that ends before anything was written is an empty one', () => {
      const sink = new RecordingSink(coder.coding)
      new CodedSink(sink, coder).end()
      assert.equal(sink.state, 'ended')
      assert.equal(decode[coder.coding](Buffer.concat(sink.writes)).length, 0)
    })

    test('readers who join and leave anywhere, with pieces of their own in between, each decode what they were given', () => {
      const act = fc.oneof(
        { weight: 3, arbitrary: fc.record({ do: fc.constant('own' as const), reader: fc.nat(3), bytes }) },
        {
          weight: 1,
          arbitrary: fc.record({
            do: fc.constant('page' as const),
            reader: fc.nat(3),
            before: fc.string(),
            bytes,
          }),
        },
        {
          weight: 4,
          arbitrary: fc.record({ do: fc.constant('flush' as const), packed: fc.boolean(), bytes }),
        },
        { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), reader: fc.nat(3) }) },
      )
      fc.assert(
        fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
          const readers = Array.from({ length: 4 }, () => {
            const sink = new RecordingSink(coder.coding)
            return { sink, coded: new CodedSink(sink, coder), in: false, given: [] as Uint8Array[] }
          })
          let so = EMPTY
          for (const one of acts) {
            if ('bytes' in one && one.bytes.length === 0) continue
            if (one.do === 'flush') {
              const run = { before: so, after: add(so, one.bytes) }
              so = run.after
              const piece = one.packed ? coder.packed(one.bytes) : coder.stored(one.bytes)
              for (const reader of readers) {
                if (!reader.in) continue
                reader.coded.writeShared(piece, run)
                reader.given.push(one.bytes)
              }
              continue
            }
            const reader = readers[one.reader]!
            if (one.do === 'move') {
              reader.in = !reader.in
              continue
            }
            if (one.do === 'own') reader.coded.write(one.bytes)
            else reader.coded.writePiece(Buffer.from(one.before), coder.packed(one.bytes), sumOf(one.bytes))
            if (one.do === 'page') reader.given.push(Buffer.from(one.before))
            reader.given.push(one.bytes)
          }
          for (const { sink, coded, given } of readers) {
            coded.end()
            assert.deepEqual(decode[coder.coding](Buffer.concat(sink.writes)), Buffer.concat(given))
          }
        }),
      )
    })
  })
}

test('who leaves, and comes back later with nothing of its own in between, is given a right trailer', () => {
  const coder = coderOf('gzip')!
  const sink = new RecordingSink('gzip')
  const coded = new CodedSink(sink, coder)
  const pieces = ['one', 'of others', 'two', 'three'].map((text) => Buffer.from(text))
  let before = EMPTY
  for (const [index, piece] of pieces.entries()) {
    const after = add(before, piece)
    if (index !== 1) coded.writeShared(coder.stored(piece), { before, after })
    before = after
  }
  coded.end()
  assert.equal(sink.text, 'onetwothree')
})

test('the trailer of gzip tells a piece that is missing', () => {
  const coder = coderOf('gzip')!
  const sink = new RecordingSink('gzip')
  const coded = new CodedSink(sink, coder)
  coded.write(Buffer.from('one'))
  coded.write(Buffer.from('two'))
  coded.end()
  sink.writes.splice(1, 1)
  assert.throws(() => decode.gzip(Buffer.concat(sink.writes)), /incorrect/)
})

describe('parts', () => {
  /** Notes what is packed and what is stored, and joins the notes. */
  class Notes implements Coder {
    readonly coding = 'gzip'
    readonly pieces: [kind: 'packed' | 'stored', text: string][] = []

    packed(content: Uint8Array): Uint8Array {
      this.pieces.push(['packed', Buffer.from(content).toString()])
      return content
    }

    stored(content: Uint8Array): Uint8Array {
      this.pieces.push(['stored', Buffer.from(content).toString()])
      return content
    }

    begin(): never {
      throw new Error('not of parts')
    }
  }

  function piecesOf(
    many: boolean,
    ...parts: readonly (readonly [grant: string, text: string])[]
  ): Notes['pieces'] {
    const notes = new Notes()
    const content = parts.map(([grant, text]): Part => ({ grant, bytes: Buffer.from(text) }))
    const plain = parts.map(([, text]) => text).join('')
    assert.equal(Buffer.from(codedParts(notes, content, many)).toString(), plain)
    return notes.pieces
  }

  const [a, b] = ['a'.repeat(SMALLEST), 'b'.repeat(SMALLEST)]

  test('what goes to few is stored in one piece, whoever may read it', () => {
    assert.deepEqual(piecesOf(false, ['a', a], ['b', b]), [['stored', a + b]])
  })

  test('what is smaller than 512 bytes is stored, what is as large is packed', () => {
    assert.equal(SMALLEST, 512)
    assert.deepEqual(piecesOf(true, ['a', a.slice(1)]), [['stored', a.slice(1)]])
    assert.deepEqual(piecesOf(true, ['a', a]), [['packed', a]])
  })

  test('parts of one grant that follow each other are packed together', () => {
    assert.deepEqual(piecesOf(true, ['a', 'x'], ['a', a], ['a', 'y']), [['packed', `x${a}y`]])
  })

  test('parts of different grants are never packed together', () => {
    assert.deepEqual(piecesOf(true, ['a', a], ['b', b], ['a', a]), [
      ['packed', a],
      ['packed', b],
      ['packed', a],
    ])
    assert.deepEqual(piecesOf(true, ['a', 'x'], ['b', 'y'], ['a', a], ['b', 'z']), [
      ['stored', 'xy'],
      ['packed', a],
      ['stored', 'z'],
    ])
  })

  test('a packed piece is of one grant, a stored one says nothing by its length, and all are in order', () => {
    const part = fc.tuple(fc.constantFrom('a', 'b', 'c.*'), fc.nat(700))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.boolean(), (sizes, many) => {
        const parts = sizes.map(([grant, size]): [string, string] => [grant, grant.slice(0, 1).repeat(size)])
        for (const [kind, text] of piecesOf(many, ...parts)) {
          if (kind === 'packed') assert.ok(many && text.length >= SMALLEST && new Set(text).size === 1)
        }
      }),
    )
  })
})

test('gzip of a block refers to nothing before it: each can be inflated by itself', () => {
  const coder = coderOf('gzip')!
  const text = Buffer.alloc(2000, 'the same again and again ')
  const last = Buffer.from([3, 0])
  for (const piece of [coder.packed(text), coder.packed(text), coder.stored(text)]) {
    assert.ok(inflateRawSync(Buffer.concat([piece, last])).equals(text))
  }
})
