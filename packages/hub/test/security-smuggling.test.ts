/**
 * Request smuggling, straight to the hub: whatever could be taken for the end of a request by one and not by another is refused,
 * the connection closes, and what stood behind it is never looked at. `authorize` sees each request that the hub takes up.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createHub, type Hub } from '../src/hub.ts'
import { type HubServer, serveHub } from '../src/http/server.ts'
import { RawConnection } from './wire-contract/raw.ts'

const SMUGGLED = 'GET /channels/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** A publish to `outer` whose headers and body are these, and what would be smuggled behind it. */
const outer = (headers: string, body = ''): string =>
  `POST /channels/outer HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n${body}${SMUGGLED}`

const LENGTH = `Content-Length: ${SMUGGLED.length}`

describe('bytes that two could read differently', () => {
  let hub: Hub
  let server: HubServer
  const seen: string[] = []
  before(async () => {
    hub = createHub()
    const authorize = ({ path }: { path: string }): boolean => {
      seen.push(path)
      return true
    }
    server = await serveHub(hub, { host: '127.0.0.1', authorize })
  })
  after(async () => {
    await server.stop()
    await hub.close()
  })
  beforeEach(async () => {
    seen.splice(0)
    await hub.drop('outer')
  })

  for (const [what, request] of [
    ['a length and chunks', outer('Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['chunks and a length', outer('Transfer-Encoding: chunked\r\nContent-Length: 4', '0\r\n\r\n')],
    ['a length of 0 and chunks', outer('Content-Length: 0\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['two lengths', outer(`Content-Length: 0\r\n${LENGTH}`)],
    ['two equal lengths', outer('Content-Length: 0\r\nContent-Length: 0')],
    ['a list of lengths', outer(`Content-Length: 0, ${SMUGGLED.length}`)],
    ['a length with a sign', outer(`Content-Length: +${SMUGGLED.length}`)],
    ['a negative length', outer('Content-Length: -1')],
    ['a length in hexadecimal', outer('Content-Length: 0x10')],
    ['an empty length', outer('Content-Length:')],
    ['a length with a letter', outer('Content-Length: 1a')],
    ['a length beyond all numbers', outer(`Content-Length: ${'9'.repeat(40)}`)],
    ['an unknown coding', outer('Transfer-Encoding: xchunked', '0\r\n\r\n')],
    ['a coding behind chunks', outer('Transfer-Encoding: chunked, identity', '0\r\n\r\n')],
    ['chunks behind nothing', outer('Transfer-Encoding: , chunked;', '0\r\n\r\n')],
    ['quoted chunks', outer('Transfer-Encoding: "chunked"', '0\r\n\r\n')],
    ['chunks with a vertical tab', outer('Transfer-Encoding: \x0bchunked', '0\r\n\r\n')],
    ['two codings', outer('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n')],
    ['a space before the colon', outer('Transfer-Encoding : chunked', '0\r\n\r\n')],
    ['a space before the colon of the length', outer(`Content-Length : ${SMUGGLED.length}`)],
    [
      'a tab before the name',
      outer(`X: y\r\n\tTransfer-Encoding: chunked\r\n${LENGTH}\r\nContent-Length: 0`),
    ],
    ['a bare CR in a header', outer(`X: y\rContent-Length: ${SMUGGLED.length}`)],
    ['a NUL in a header', outer(`X: y\0\r\nContent-Length: 0`)],
    ['a NUL in a name', outer(`X\0: y\r\nContent-Length: 0`)],
    ['a header without a colon', outer('Content-Length')],
    ['a header without a name', outer(': 0')],
    ['a chunk of no size', outer('Transfer-Encoding: chunked', '\r\n\r\n')],
    ['a chunk with a sign', outer('Transfer-Encoding: chunked', '-1\r\n\r\n')],
    ['a chunk in 0x', outer('Transfer-Encoding: chunked', '0x0\r\n\r\n')],
    ['a chunk size that wraps', outer('Transfer-Encoding: chunked', `10000000000000000\r\n\r\n`)],
    ['a chunk size that ends in LF', outer('Transfer-Encoding: chunked', '0\n\n')],
    ['a chunk extension with LF', outer('Transfer-Encoding: chunked', '0;a\nb\r\n\r\n')],
    ['a chunk longer than its size', outer('Transfer-Encoding: chunked', '1\r\nxy\r\n0\r\n\r\n')],
    ['lines that end in LF', outer('Content-Length: 0').replaceAll('\r\n', '\n')],
    ['a version of its own', outer('Content-Length: 0').replace('HTTP/1.1', 'HTTP/1.1x')],
    ['HTTP/2 in text', outer('Content-Length: 0').replace('HTTP/1.1', 'HTTP/2.0')],
    ['two Hosts', outer('Host: other.example\r\nContent-Length: 0')],
    ['more headers than there may be', outer(`${'a:\r\n'.repeat(150)}Content-Length: 0`)],
    ['a space in the target', outer('Content-Length: 0').replace('/channels/outer', '/channels/outer x')],
  ] as const) {
    test(`${what}: refused, and nothing behind it is taken up`, async () => {
      using connection = new RawConnection(server.url)
      connection.send(request)
      const { status, headers } = await connection.answer()
      assert.ok([400, 413, 431].includes(status), `${status}`)
      assert.equal(headers['connection'], 'close')
      await connection.closed
      assert.equal(connection.text, '')
      assert.ok(!seen.includes('/channels/smuggled'), seen.join())
      assert.deepEqual((await hub.read('outer', { after: 'start' })).events, [])
    })
  }

  test('what one length or one coding ends is followed by the next request: the same bytes, told apart rightly', async () => {
    using connection = new RawConnection(server.url)
    connection.send(outer(LENGTH))
    assert.equal((await connection.answer()).status, 200)
    connection.send(outer('Transfer-Encoding: chunked', '1;of=a-chunk\r\nx\r\n0\r\nTrailer: y\r\n\r\n'))
    assert.equal((await connection.answer()).status, 200)
    assert.equal((await connection.answer()).status, 200)
    assert.deepEqual(seen, ['/channels/outer', '/channels/outer', '/channels/smuggled'])
    const { events } = await hub.read('outer', { after: 'start' })
    assert.deepEqual(
      events.map(({ data }) => data),
      [SMUGGLED.replaceAll('\r\n', '\n'), 'x'],
    )
  })

  test('a body of GET belongs to it, whatever it looks like', async () => {
    using connection = new RawConnection(server.url)
    connection.send(`GET /channels/a HTTP/1.1\r\nHost: localhost\r\n${LENGTH}\r\n\r\n${SMUGGLED}`)
    assert.equal((await connection.answer()).status, 200)
    connection.send('GET /channels/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    assert.equal((await connection.answer()).status, 200)
    await connection.closed
    assert.deepEqual(seen, ['/channels/a', '/channels/b'])
    assert.equal(connection.text, '')
  })

  test('a body that a refusal did not wait for is never taken for a request', async () => {
    using connection = new RawConnection(server.url)
    connection.send(outer(`Content-Length: ${2 ** 21}`))
    assert.equal((await connection.answer()).status, 413)
    connection.send(SMUGGLED.repeat(100))
    await connection.closed
    assert.ok(!seen.includes('/channels/smuggled'))
  })

  test('chunks in HTTP/1.0 end the connection', async () => {
    using connection = new RawConnection(server.url)
    connection.send(outer('Transfer-Encoding: chunked', '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'))
    await connection.closed
    // RFC 9112 6.1 would have it refused, or the connection closed behind it.
    assert.ok(!seen.includes('/channels/smuggled'))
  })

  test('what stands behind a stream is not taken up', async () => {
    using connection = new RawConnection(server.url)
    connection.send(
      'GET /channels/a HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n' + SMUGGLED,
    )
    await connection.until((text) => text.includes('downlink:open'))
    connection.send(SMUGGLED)
    hub.delivery.endAll()
    await connection.closed
    assert.deepEqual(seen, ['/channels/a'])
  })
})
