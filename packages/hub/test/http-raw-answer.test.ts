/** Answers as bytes. Pure. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { chunkOf, headOf, LAST_CHUNK, mayBeRequest, wholeBytes } from '../src/http/raw-answer.ts'

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

describe('answers as bytes', () => {
  test('a head ends with what becomes of the connection', () => {
    const lines = (persistence: Parameters<typeof headOf>[2]): string[] =>
      headOf(404, { a: 'b', connection: 'close' }, persistence).split('\r\n')
    const [status, header, date, ...rest] = lines('close')
    assert.deepEqual(
      [status, header, rest],
      ['HTTP/1.1 404 Not Found', 'a: b', ['Connection: close', '', '']],
    )
    assert.match(date ?? '', /^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    assert.deepEqual(lines({ seconds: 7 }).slice(3), [
      'Connection: keep-alive',
      'Keep-Alive: timeout=7',
      '',
      '',
    ])
  })

  test('no value makes a header of its own', () => {
    for (const value of ['a\r\nb: c', 'a\nb', '\0', 'ÿ\u0100'])
      assert.throws(() => headOf(200, { a: value }, 'close'), TypeError)
    assert.match(headOf(200, { a: 'grüße\t' }, 'close'), /^a: grüße\t\r$/m)
  })

  test('a body has its length in bytes, and no body has none', () => {
    const whole = latin1(wholeBytes({ status: 200, headers: {}, body: 'é' }, 'close'))
    assert.match(whole, /\r\ncontent-length: 2\r\n[^]*\r\n\r\n\xc3\xa9$/)
    const bare = latin1(wholeBytes({ status: 204, headers: {} }, 'close'))
    assert.doesNotMatch(bare, /content-length/)
    assert.match(bare, /\r\n\r\n$/)
  })

  test('chunks are their length in hexadecimal, and their bytes', () => {
    assert.equal(latin1(chunkOf(Buffer.from('x'.repeat(26)))), `1a\r\n${'x'.repeat(26)}\r\n`)
    assert.equal(latin1(LAST_CHUNK), '0\r\n\r\n')
  })
})

describe('what may be a request', () => {
  test('is any beginning of one, after any empty lines', () => {
    const request = fc.tuple(
      fc.constantFrom('', '\r\n', '\r\n\r\n\n'),
      fc.constantFrom('GET', 'POST', 'M-SEARCH'),
      fc.nat(60),
    )
    fc.assert(
      fc.property(request, ([empty, method, length]) => {
        const text = `${empty}${method} /channels/x HTTP/1.1\r\nHost: localhost\r\n\r\n`
        assert.ok(mayBeRequest(Buffer.from(text.slice(0, length))), text)
      }),
    )
  })

  test('is not what begins otherwise', () => {
    for (const text of ['garbage', 'GARBAGE\r\n', ' GET /', '\x16\x03\x01', '\0', 'G\r\n', '-GET /'])
      assert.ok(!mayBeRequest(Buffer.from(text, 'latin1')), JSON.stringify(text))
  })
})
