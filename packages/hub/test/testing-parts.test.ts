/** The pure parts of the hostile proxy: heads, the ends of bodies, what is held, responses, options. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { HubError } from '../src/errors.ts'
import { asksForStream, type Fault, planOf } from '../src/testing/fault.ts'
import {
  Body,
  frame,
  frameEnd,
  type Framing,
  framingOfRequest,
  framingOfResponse,
} from '../src/testing/framing.ts'
import { closesAfter, type Head, readHead, valueOf, withField, writeHead } from '../src/testing/head.ts'
import { HeldBody } from '../src/testing/hold.ts'
import { pieceOf } from '../src/testing/outlet.ts'
import { Response, type Step } from '../src/testing/response.ts'

const LIMIT = 1000

function head(text: string, kind: 'request' | 'response' = 'response'): Head {
  const read = readHead(Buffer.from(`${text.replaceAll('\n', '\r\n')}\r\n\r\n`, 'latin1'), kind, LIMIT)
  assert.ok(typeof read === 'object', text)
  return read.head
}

const GET = head('GET /a HTTP/1.1\nHost: localhost\nAccept-Encoding: br, gzip', 'request')

describe('a head', () => {
  test('is written as it was read: names, their case, their order, repetitions', () => {
    const text = 'HTTP/1.1 200 OK\r\nB: 1\r\na:  x y \r\nB: 2\r\nempty:\r\n\r\n'
    const read = readHead(Buffer.from(`${text}rest`), 'response', LIMIT)
    assert.ok(typeof read === 'object')
    assert.equal(
      writeHead(read.head).toString(),
      'HTTP/1.1 200 OK\r\nB: 1\r\na: x y\r\nB: 2\r\nempty: \r\n\r\n',
    )
    assert.deepEqual([valueOf(read.head, 'b'), read.rest.toString()], ['1, 2', 'rest'])
  })

  test('needs more bytes, up to its limit', () => {
    const bytes = Buffer.from('GET / HTTP/1.1\r\nA: b\r\n\r\n')
    for (let end = 0; end < bytes.length; end++) {
      assert.equal(readHead(bytes.subarray(0, end), 'request', LIMIT), 'more')
    }
    assert.equal(typeof readHead(bytes, 'request', bytes.length), 'object')
    assert.equal(readHead(bytes, 'request', bytes.length - 1), 'too-large')
    assert.equal(readHead(Buffer.alloc(50, 'a'), 'request', 50), 'too-large')
  })

  test('what is none is said to be bad', () => {
    const bad = ['GET / HTTP/2.0', 'hello', 'GET / HTTP/1.1\r\nno colon', 'GET / HTTP/1.1\r\nA: b\r\n folded']
    for (const text of bad)
      assert.equal(readHead(Buffer.from(`${text}\r\n\r\n`), 'request', LIMIT), 'bad', text)
    assert.equal(readHead(Buffer.from('HTTP/1.1 20 OK\r\n\r\n'), 'response', LIMIT), 'bad')
  })

  test('a field that is set takes the place of the old ones', () => {
    const set = withField(head('HTTP/1.1 200 OK\nA: 1\nB: 2\na: 3'), 'A', '4')
    assert.deepEqual(set.fields, [
      ['A', '4'],
      ['B', '2'],
    ])
  })

  test('says whether the connection ends after it', () => {
    const said = (text: string): boolean => closesAfter(head(text))
    assert.deepEqual(
      [
        'HTTP/1.1 200 OK',
        'HTTP/1.1 200 OK\nConnection: foo, Close',
        'HTTP/1.0 200 OK',
        'HTTP/1.0 200 OK\nConnection: keep-alive',
      ].map(said),
      [false, true, true, false],
    )
  })
})

describe('where a body ends', () => {
  test('is said by its head', () => {
    const response = (text: string, method = 'GET'): unknown => framingOfResponse(head(text), method)
    assert.deepEqual(response('HTTP/1.1 200 OK\nContent-Length: 3'), { kind: 'length', length: 3 })
    assert.deepEqual(response('HTTP/1.1 200 OK\nTransfer-Encoding: Chunked'), { kind: 'chunked' })
    assert.deepEqual(response('HTTP/1.1 200 OK'), { kind: 'close' })
    assert.deepEqual(response('HTTP/1.1 200 OK\nTransfer-Encoding: gzip'), { kind: 'close' })
    assert.deepEqual(response('HTTP/1.1 200 OK\nContent-Length: 3', 'HEAD'), { kind: 'none' })
    for (const status of [100, 204, 304]) {
      assert.deepEqual(response(`HTTP/1.1 ${status} x\nContent-Length: 3`), { kind: 'none' })
    }
    assert.equal(response('HTTP/1.1 200 OK\nContent-Length: 3\nTransfer-Encoding: chunked'), 'bad')
    assert.equal(response('HTTP/1.1 200 OK\nContent-Length: 3, 4'), 'bad')
  })

  test('of a request without a length is at once', () => {
    const request = (fields: string): unknown => framingOfRequest(head(`POST / HTTP/1.1${fields}`, 'request'))
    assert.deepEqual(request(''), { kind: 'none' })
    assert.equal(request('\nTransfer-Encoding: gzip, chunked'), 'bad')
  })

  test('is found however the bytes are cut, and what follows is left alone', () => {
    const property = fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 }),
      fc.constantFrom<'chunked' | 'length'>('chunked', 'length'),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (parts, kind, cuts) => {
        const payload = Buffer.concat(parts)
        const framing: Framing = kind === 'length' ? { kind, length: payload.length } : { kind }
        const sent = [...parts.map((part) => frame(framing, Buffer.from(part))), frameEnd(framing)]
        const bytes = Buffer.concat([...sent, Buffer.from('next')])
        const body = new Body(framing)
        const got: Buffer[] = []
        let rest = ''
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1
          const piece = bytes.subarray(at, at + size)
          at += size
          const followed = body.push(piece)
          assert.ok(followed !== 'bad')
          got.push(...followed.payload)
          rest += followed.rest.toString()
        }
        assert.ok(body.ended)
        assert.deepEqual([Buffer.concat(got), rest], [payload, 'next'])
      },
    )
    fc.assert(property)
  })

  test('the ends of chunks may have extensions and trailers', () => {
    const body = new Body({ kind: 'chunked' })
    const followed = body.push(Buffer.from('3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\nnext'))
    assert.ok(followed !== 'bad')
    assert.deepEqual(
      [Buffer.concat(followed.payload).toString(), body.ended, followed.rest.toString()],
      ['abc', true, 'next'],
    )
  })

  test('chunks that are none are bad, and lines of a chunk have a limit', () => {
    const endless = '1;' + 'x'.repeat(2000)
    const trailers = `0\r\n${'A: b\r\n'.repeat(100)}\r\n`
    for (const text of ['x\r\n', '\r\n', '-1\r\n', '1\r\nab\r\n', '123456789\r\n', endless, trailers]) {
      assert.equal(new Body({ kind: 'chunked' }).push(Buffer.from(text)), 'bad', text.slice(0, 20))
    }
  })
})

describe('what is held of a body', () => {
  const run = (rule: Fault['hold'], pieces: readonly string[]): string[] => {
    const held = new HeldBody(rule)
    return [...pieces.map((piece) => held.push(Buffer.from(piece)).toString()), held.end().toString()]
  }

  test('is said by its rule', () => {
    assert.deepEqual(run(undefined, ['ab', 'cd']), ['ab', 'cd', ''])
    assert.deepEqual(run('body', ['ab', 'cd']), ['', '', 'abcd'])
    assert.deepEqual(run('response', ['ab', 'cd']), ['', '', 'abcd'])
    assert.deepEqual(run({ until: 3 }, ['ab', 'cd', 'e']), ['', 'abcd', 'e', ''])
    assert.deepEqual(run({ blocks: 3 }, ['ab', 'cd', 'efghi']), ['', 'abc', 'defghi', ''])
    assert.deepEqual(run({ after: 3 }, ['ab', 'cd', 'e']), ['ab', 'c', '', 'de'])
    assert.deepEqual(run({ after: 0 }, ['ab']), ['', 'ab'])
  })

  test('is judged again when the rule changes, and its size is known', () => {
    const held = new HeldBody('body')
    held.push(Buffer.from('abcd'))
    assert.deepEqual([held.change({ after: 1 }).toString(), held.size], ['a', 3])
    assert.deepEqual([held.change({ until: 3 }).toString(), held.size], ['bcd', 0])
    assert.equal(held.push(Buffer.from('x')).toString(), 'x')
  })
})

describe('a response', () => {
  const LENGTH = 'HTTP/1.1 200 OK\nContent-Length: 6'
  const CHUNKED = 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked'
  const words = (steps: readonly Step[]): string[] =>
    steps.map((step) => (typeof step === 'string' ? `(${step})` : step.toString()))

  /** What comes of `abcdef`, in two pieces, a step a text. */
  function through(text: string, fault: Fault, request = GET): string[] {
    const from = head(text)
    const framing = framingOfResponse(from, 'GET')
    assert.ok(framing !== 'bad')
    const response = new Response(from, framing, request, planOf(fault))
    const steps = [...response.begin(), ...response.body(Buffer.from('abc'))]
    return words([...steps, ...response.body(Buffer.from('def')), ...response.end()])
  }

  test('passes as it comes when nothing is wrong', () => {
    assert.deepEqual(through(LENGTH, {}), ['HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n', 'abc', 'def'])
    assert.deepEqual(through(CHUNKED, {}).slice(1), ['3\r\nabc\r\n', '3\r\ndef\r\n', '0\r\n\r\n'])
    assert.deepEqual(through('HTTP/1.1 200 OK', {}), ['HTTP/1.1 200 OK\r\n\r\n', 'abc', 'def', '(end)'])
  })

  test('is cut after so many bytes, or falls silent: whatever comes first, and then nothing', () => {
    assert.deepEqual(through(LENGTH, { cut: { afterBytes: 4 } }).slice(1), ['abc', 'd', '(reset)'])
    assert.deepEqual(through(LENGTH, { cut: { afterBytes: 0, by: 'end' } }).slice(1), ['(end)'])
    const both = { cut: { afterBytes: 4 }, silence: { afterBytes: 2 } }
    assert.deepEqual(through(CHUNKED, both).slice(1), ['2\r\nab\r\n', '(silence)'])
    assert.deepEqual(through(LENGTH, { cut: { afterBytes: 7 } }).slice(1), ['abc', 'def'])
  })

  test('that is truncated is whole as far as HTTP tells', () => {
    assert.deepEqual(through(LENGTH, { truncate: 4 }), [
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n',
      'abc',
      'd',
    ])
    assert.deepEqual(through(CHUNKED, { truncate: 4 }).slice(1), ['3\r\nabc\r\n', '1\r\nd\r\n', '0\r\n\r\n'])
    assert.deepEqual(through('HTTP/1.1 200 OK', { truncate: 4 }).slice(1), ['abc', 'd', '(end)'])
    assert.deepEqual(through(LENGTH, { truncate: 0 }), ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'])
    assert.deepEqual(through(LENGTH, { truncate: 7 })[0], 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n')
  })

  test('that is compressed comes as one, at its end, and says so', () => {
    const response = new Response(head(LENGTH), { kind: 'length', length: 3 }, GET, planOf({ gzip: true }))
    assert.deepEqual(words(response.begin()), [
      'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n',
    ])
    assert.deepEqual(response.body(Buffer.from('abc')), [])
    const [compressed, last] = response.end()
    assert.ok(compressed instanceof Buffer)
    const body = new Body({ kind: 'chunked' }).push(compressed)
    assert.ok(body !== 'bad')
    assert.equal(gunzipSync(Buffer.concat(body.payload)).toString(), 'abc')
    assert.equal(String(last), '0\r\n\r\n')
  })

  test('is not compressed for those who did not ask, nor twice', () => {
    const plain = head('GET / HTTP/1.1', 'request')
    assert.equal(through(LENGTH, { gzip: true }, plain)[1], 'abc')
    assert.equal(through(`${LENGTH}\nContent-Encoding: br`, { gzip: true })[1], 'abc')
  })

  test('loses the fields that are stripped', () => {
    const [sent] = through(`${LENGTH}\nETag: x\nA: b`, { strip: ['etag'] })
    assert.equal(sent, 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nA: b\r\n\r\n')
  })

  test('may hold its head until its first bytes may pass', () => {
    const steps = through(LENGTH, { hold: { blocks: 4, head: true } })
    assert.deepEqual(steps, ['HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n', 'abcd', 'ef'])
    const response = new Response(
      head(LENGTH),
      { kind: 'length', length: 6 },
      GET,
      planOf({ hold: { until: 4, head: true } }),
    )
    assert.deepEqual([...response.begin(), ...response.body(Buffer.from('abc'))], [])
  })

  test('that breaks off has what was held, and an end too early', () => {
    const response = new Response(
      head(LENGTH),
      { kind: 'length', length: 6 },
      GET,
      planOf({ hold: 'response' }),
    )
    assert.deepEqual([...response.begin(), ...response.body(Buffer.from('abc'))], [])
    assert.equal(response.untouched, true)
    assert.deepEqual(words(response.breakOff()).slice(1), ['abc', '(end)'])
  })

  test('goes on by another plan', () => {
    const response = new Response(head(LENGTH), { kind: 'length', length: 6 }, GET, planOf({ hold: 'body' }))
    response.begin()
    response.body(Buffer.from('abc'))
    assert.deepEqual(words(response.change(planOf({ cut: { afterBytes: 4 } }))), ['abc'])
    assert.deepEqual(words(response.body(Buffer.from('def'))), ['d', '(reset)'])
  })
})

test('pieces end inside of each character of several bytes', () => {
  const cut = (text: string): string[] => {
    let bytes = Buffer.from(text)
    const pieces = []
    while (bytes.length > 0) {
      const size = pieceOf(bytes, { pieces: 'utf-8', everyMs: 0 })
      pieces.push(bytes.toString('latin1', 0, size))
      bytes = bytes.subarray(size)
    }
    return pieces
  }
  assert.deepEqual(cut('aé€x'), ['a\xc3', '\xa9\xe2', '\x82\xacx'])
  assert.deepEqual(cut('plain'), ['plain'])
})

test('streams are known by Accept, and by ?transport, which wins', () => {
  const asks = (query: string, accept?: string): boolean =>
    asksForStream({ method: 'GET', path: '/', query, headers: accept === undefined ? {} : { accept } })
  assert.deepEqual(
    [
      asks(''),
      asks('', '*/*'),
      asks('', 'text/event-stream'),
      asks('?a=b&transport=sse'),
      asks('?transport=poll', 'text/event-stream'),
    ],
    [false, false, true, true, false],
  )
})

test('what makes no sense as a fault is refused, with what was expected', () => {
  const refused: [Fault, RegExp][] = [
    [{ truncate: -1 }, /`truncate` to be a whole number from 0 to \d+, got -1$/],
    [{ delay: 0.5 }, /`delay`/],
    [{ delay: { responseMs: 2 ** 31 } }, /`delay`/],
    [{ trickle: { bytes: 0 } }, /`trickle.bytes` to be a whole number from 1/],
    [{ hold: { blocks: 0 } }, /`hold.blocks`/],
    [{ hold: {} as never }, /`hold/],
    [{ hold: 'head' as never }, /`hold` to be 'response', 'body', or an object with .*, got "head"$/],
    [{ cut: { afterMs: Number.NaN } }, /`cut.afterMs`/],
    [{ silence: { afterBytes: -1 } }, /`silence.afterBytes`/],
    [{ answer: { status: 99 } }, /`answer.status`/],
    [{ answer: { status: 503, times: -1 } }, /`answer.times`/],
    [{ answer: { status: 503, headers: { a: 'b\r\nc: d' } } }, /`answer.headers`/],
    [{ strip: ['Host'] }, /`strip` to be header fields other than connection, .*, got "host"$/],
  ]
  for (const [fault, message] of refused) {
    assert.throws(
      () => planOf(fault),
      (error) => error instanceof HubError && error.code === 'invalid-option' && message.test(error.message),
      String(message),
    )
  }
})
