import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Cursor, formatCursor, parseCursor, WireError } from '../src/index.ts'

const EPOCH_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const cursor: fc.Arbitrary<Cursor> = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...EPOCH_CHARACTERS.split('')), minLength: 1, maxLength: 32 }),
    fc.maxSafeNat(),
  )
  .map(([epoch, position]) => ({ epoch, position }))

test('a cursor is its epoch and its position', () => {
  assert.equal(formatCursor({ epoch: 'k3Zq', position: 42 }), 'k3Zq-42')
  assert.deepEqual(parseCursor('k3Zq-42'), { epoch: 'k3Zq', position: 42 })
  assert.deepEqual(parseCursor('0-0'), { epoch: '0', position: 0 })
  assert.deepEqual(parseCursor('a-9007199254740991'), { epoch: 'a', position: Number.MAX_SAFE_INTEGER })
})

test('what was formatted is parsed again, and is at most 64 characters that URLs and CORS let through', () => {
  fc.assert(
    fc.property(cursor, (value) => {
      const text = formatCursor(value)
      assert.deepEqual(parseCursor(text), value)
      assert.match(text, /^[A-Za-z0-9._~-]{1,64}$/)
    }),
  )
})

for (const [name, text, message] of [
  ['nothing', '', /no "-"/],
  ['no dash', 'abc42', /no "-"/],
  ['an empty epoch', '-42', /epoch/],
  ['an epoch of 33 characters', `${'a'.repeat(33)}-42`, /epoch/],
  ['an epoch of other characters', 'a_b-42', /epoch/],
  ['an epoch that ends a line', 'a\n-42', /epoch/],
  ['an epoch in other letters', 'é-42', /epoch/],
  ['an empty position', 'a-', /digits/],
  ['a second dash', 'a-1-2', /digits/],
  ['a negative position', 'a--1', /digits/],
  ['a fraction', 'a-1.5', /digits/],
  ['an exponent', 'a-1e3', /digits/],
  ['hexadecimal', 'a-0x10', /digits/],
  ['digits that are not ASCII', 'a-٣', /digits/],
  ['a space before', ' a-1', /epoch/],
  ['a space after', 'a-1 ', /digits/],
  ['a line end after', 'a-1\n', /digits/],
  ['leading zeros', 'a-042', /leading zeros/],
  ['two zeros', 'a-00', /leading zeros/],
  ['a position of 2^53', 'a-9007199254740992', /2\^53 - 1/],
  ['a position beyond numbers', `a-${'9'.repeat(400)}`, /2\^53 - 1/],
  ['the id of another server', '1699999999999', /no "-"/],
] as const) {
  test(`refuses ${name}, and says what is wrong`, () => {
    assert.throws(() => parseCursor(text), { name: 'WireError', code: 'invalid-cursor', message })
  })
}

test('any text gives a cursor that formats to the same text, or an error of one short printable line', () => {
  const almost = fc.tuple(
    fc.string({ maxLength: 4 }),
    fc.constantFrom('-', '', '--'),
    fc.oneof(fc.nat().map(String), fc.string()),
  )
  const any = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary', maxLength: 200 }),
    almost.map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(any, (text) => {
      let parsed: Cursor
      try {
        parsed = parseCursor(text)
      } catch (error) {
        assert.ok(error instanceof WireError && error.code === 'invalid-cursor')
        assert.match(error.message, /^[ -~…]{1,400}$/)
        return
      }
      assert.equal(formatCursor(parsed), text)
    }),
    { numRuns: 2000 },
  )
})

test('does not echo a long text', () => {
  assert.throws(
    () => parseCursor('x'.repeat(1_000_000)),
    (error: unknown) => error instanceof WireError && error.message.length < 200,
  )
})

test('refuses what is no string', () => {
  for (const value of [undefined, null, 42, {}, ['a-1']] as unknown as string[]) {
    assert.throws(() => parseCursor(value), {
      code: 'invalid-cursor',
      message: /string/,
    })
  }
})

test('formats no cursor that could not be parsed', () => {
  for (const position of [-1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => formatCursor({ epoch: 'a', position }), {
      code: 'invalid-cursor',
      message: /position/,
    })
  }
  for (const epoch of ['', 'a-b', 'a'.repeat(33), 'a.b', '\n']) {
    assert.throws(() => formatCursor({ epoch, position: 1 }), { code: 'invalid-cursor', message: /epoch/ })
  }
})
