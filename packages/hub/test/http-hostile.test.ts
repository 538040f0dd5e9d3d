/** Requests that are slow, too large, torn or no requests at all, on the hub's own server. */
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createHub, type Hub } from '../src/hub.ts'
import { type HubServer, serveHub } from '../src/http/server.ts'
import { ask, askPage, post, problemOf } from './wire-contract/client.ts'
import { fresh } from './wire-contract/face.ts'
import { bytes, RawConnection, type RawAnswer } from './wire-contract/raw.ts'

const HEAD_LIMIT = 2000
const BODY_LIMIT = 1000

function isProblem(answer: RawAnswer, status: number, code: string): Record<string, unknown> {
  return problemOf({ ...answer, text: answer.body }, status, code)
}

describe('hostile requests', () => {
  let hub: Hub
  let server: HubServer
  before(async () => {
    hub = createHub()
    server = await serveHub(hub, {
      headLimit: HEAD_LIMIT,
      headTimeoutMs: 150,
      bodyTimeoutMs: 200,
      bodyLimit: BODY_LIMIT,
    })
  })
  after(async () => {
    await server.stop()
    await hub.close()
  })

  test('P18.1.4 P19.1.1 a head that does not come whole in time is 408, and the connection closes', async () => {
    using connection = new RawConnection(server.url)
    connection.send('GET /channels/x HTTP/1.1\r\nHost: loc')
    const answer = await connection.answer()
    isProblem(answer, 408, 'body-timeout')
    assert.equal(answer.headers['connection'], 'close')
    await connection.closed
  })

  test('P19.1.1 a body that does not come in time is 408, and nothing is stored', async () => {
    const channel = fresh()
    using connection = new RawConnection(server.url)
    connection.send(bytes(`POST /channels/${channel}`, { 'Content-Length': '10' })).send('12345')
    const answer = await connection.answer()
    isProblem(answer, 408, 'body-timeout')
    assert.equal(answer.headers['connection'], 'close')
    await connection.closed
    assert.deepEqual((await askPage(`${server.url}/channels/${channel}`)).events, [])
  })

  for (const [what, request] of [
    ['a long target', bytes(`GET /channels/${'x'.repeat(HEAD_LIMIT)}`)],
    ['a long header', bytes('GET /channels/x', { 'X-Long': 'x'.repeat(HEAD_LIMIT) })],
    [
      'many headers',
      bytes(
        'GET /channels/x',
        Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`X-${n}`, 'xxxxxxxx'])),
      ),
    ],
  ] as const) {
    test(`P18.1.4 P19.1.1 a head with ${what} is 431`, async () => {
      using connection = new RawConnection(server.url)
      const answer = await connection.send(request).answer()
      assert.equal(isProblem(answer, 431, 'head-too-large')['limit'], HEAD_LIMIT)
      await connection.closed
    })
  }

  for (const [what, request] of [
    ['no HTTP', 'hello\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['an unknown method', bytes('FROB /channels/x')],
    ['no Host', 'GET /channels/x HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /channels/x HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'],
    ['length and coding', bytes('POST /channels/x', { 'Transfer-Encoding': 'chunked' }, 'x')],
    [
      'two lengths',
      'POST /channels/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
    ],
    ['a negative length', bytes('POST /channels/x', { 'Content-Length': '-1' })],
    ['a broken chunk', `${bytes('POST /channels/x', { 'Transfer-Encoding': 'chunked' })}zz\r\n`],
    ['a space before the colon', 'GET /channels/x HTTP/1.1\r\nHost : localhost\r\n\r\n'],
    ['a bare LF in a header', 'GET /channels/x HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n'],
  ] as const) {
    test(`P18.1.4 a request with ${what} is 400, and the connection closes`, async () => {
      using connection = new RawConnection(server.url)
      const answer = await connection.send(request).answer()
      isProblem(answer, 400, answer.body.includes('body-aborted') ? 'body-aborted' : 'bad-request')
      await connection.closed
    })
  }

  test('P18.1.4 a body that ends before its end is 400, and nothing is stored', async () => {
    const channel = fresh()
    for (const request of [
      bytes(`POST /channels/${channel}`, { 'Content-Length': '10' }) + '12345',
      bytes(`POST /channels/${channel}`, { 'Transfer-Encoding': 'chunked' }) + '5\r\n12345\r\n',
    ]) {
      using connection = new RawConnection(server.url)
      connection.send(request).half()
      const answer = await connection.answer()
      isProblem(answer, 400, 'body-aborted')
      await connection.closed
    }
    assert.deepEqual((await askPage(`${server.url}/channels/${channel}`)).events, [])
  })

  test('P9.1.5 of a body that is cut midway nothing is stored', async () => {
    const channel = fresh()
    const connection = new RawConnection(server.url)
    connection.send(bytes(`POST /channels/${channel}`, { 'Content-Length': '10' })).send('12345')
    await new Promise<void>((resolve) => {
      server.server.once('request', (req) => req.socket.once('close', () => resolve()))
      connection.socket.once('connect', () => setImmediate(() => connection.socket.resetAndDestroy()))
    })
    assert.deepEqual((await askPage(`${server.url}/channels/${channel}`)).events, [])
  })

  test('P9.2.1 a chunked body is the data, however it is chunked', async () => {
    const channel = fresh()
    using connection = new RawConnection(server.url)
    connection.send(
      `${bytes(`POST /channels/${channel}`, { 'Transfer-Encoding': 'chunked' })}1\r\na\r\n3;ext=1\r\nb\xc3\xa9\r\n0\r\n\r\n`,
    )
    assert.equal((await connection.answer()).status, 200)
    assert.equal((await askPage(`${server.url}/channels/${channel}`)).events[0]?.data, 'abé')
  })

  test('P9.1.3 Expect: 100-continue is told to go on', async () => {
    const channel = fresh()
    using connection = new RawConnection(server.url)
    connection.send(bytes(`POST /channels/${channel}`, { 'Content-Length': '1', Expect: '100-continue' }))
    assert.equal((await connection.answer()).status, 100)
    assert.equal((await connection.send('x').answer()).status, 200)
  })

  test('P9.2.5 P18.1.4 a body above the limit is 413 before it has come, and the connection closes', async () => {
    for (const headers of [
      { 'Content-Length': String(BODY_LIMIT + 1) },
      { 'Content-Length': '99999999999' },
    ]) {
      using connection = new RawConnection(server.url)
      connection.send(bytes('POST /channels/x', headers))
      const answer = await connection.answer()
      assert.equal(isProblem(answer, 413, 'body-too-large')['limit'], BODY_LIMIT)
      assert.equal(answer.headers['connection'], 'close')
      await connection.closed
    }
    using connection = new RawConnection(server.url)
    const chunk = `1f4\r\n${'x'.repeat(500)}\r\n`
    connection.send(bytes('POST /channels/x', { 'Transfer-Encoding': 'chunked' }) + chunk.repeat(3))
    isProblem(await connection.answer(), 413, 'body-too-large')
    await connection.closed
  })

  test('P9.2.5 a client that sends all of a body too large before it looks still gets its 413', async (t) => {
    const quiet = createHub()
    t.after(() => quiet.close())
    const patient = await serveHub(quiet, { bodyLimit: BODY_LIMIT })
    t.after(() => patient.stop())
    const size = 30_000_000
    for (const head of [
      bytes('POST /channels/x', { 'Content-Length': String(size) }),
      bytes('POST /channels/x', { 'Transfer-Encoding': 'chunked' }) + `${size.toString(16)}\r\n`,
    ]) {
      const socket = createConnection({ port: patient.port, host: '127.0.0.1' })
      socket.pause()
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.write(head)
        socket.write('x'.repeat(size), () => resolve())
      })
      const first = await new Promise<string>((resolve, reject) => {
        socket.once('data', (chunk) => resolve(chunk.toString()))
        socket.once('error', reject)
        socket.resume()
      })
      assert.match(first, /^HTTP\/1\.1 413 /)
      socket.destroy()
    }
  })

  test('P18.1.4 bytes that are no request, behind one that waits or on a stream, are not answered within its answer', async (t) => {
    // A machine that is busy may take longer for a head than that of the other tests has.
    const hub = createHub()
    t.after(() => hub.close())
    const server = await serveHub(hub)
    t.after(() => server.stop())
    for (const accept of ['application/json', 'text/event-stream']) {
      using connection = new RawConnection(server.url)
      connection.send(bytes('GET /channels/x?wait=60', { Accept: accept }))
      while (hub.delivery.readers + hub.delivery.waiting === 0) await new Promise(setImmediate)
      connection.send('garbage\r\n\r\n')
      await connection.closed
      assert.doesNotMatch(connection.text, /HTTP\/1\.1 400/)
      while (hub.delivery.readers + hub.delivery.waiting > 0) await new Promise(setImmediate)
    }
  })

  test('P18.1.4 after all of that the server goes on', async () => {
    const channel = fresh()
    await post(`${server.url}/channels/${channel}`, 'fine')
    assert.equal((await ask(`${server.url}/healthz`)).status, 200)
    assert.equal(hub.delivery.readers + hub.delivery.waiting, 0)
  })
})

describe('where the own server listens', () => {
  test('P17.1.1 a hub without rules refuses to listen beyond loopback, one with rules does not', async () => {
    const hub = createHub()
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com'])
      await assert.rejects(serveHub(hub, { host }), /authorize/)
    const server = await serveHub(hub, { host: '0.0.0.0', authorize: () => true })
    await server.stop()
    await hub.close()
  })
})
