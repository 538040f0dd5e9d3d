/** What a request may make the hub hold or do: heads, bodies and batches, each bounded and answered, and the hub goes on. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Authorize } from '../src/auth/authorize.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { type HubServer, serveHub } from '../src/http/server.ts'
import { ask, problemOf } from './wire-contract/client.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

const MIB = 1024 * 1024
const NDJSON = { 'content-type': 'application/x-ndjson' }
/** Far above what any of this takes, far below what it takes when work grows with the square of the input. */
const SOON_MS = 2_000

describe('a hub that is sent too much', () => {
  let hub: Hub
  let server: HubServer
  const seen: (string | undefined)[] = []
  const errors: unknown[] = []
  const authorize: Authorize = ({ address }) => {
    seen.push(address)
    return true
  }
  before(async () => {
    hub = createHub({ onError: (error) => errors.push(error) })
    server = await serveHub(hub, { host: '127.0.0.1', authorize, proxies: { trusted: ['loopback'] } })
  })
  after(async () => {
    await server.stop()
    await hub.close()
  })

  async function soon<T>(work: () => Promise<T>): Promise<T> {
    const begun = performance.now()
    const result = await work()
    assert.ok(performance.now() - begun < SOON_MS)
    return result
  }

  test('never misses the last header, however many come before it: that is where a proxy writes', async () => {
    for (const count of [10, 90, 500, 1_000, 1_500, 1_999, 2_000, 2_001, 3_000, 4_500]) {
      using connection = new RawConnection(server.url)
      const many = 'a:\r\n'.repeat(count)
      seen.length = 0
      connection.send(
        `GET /channels/a HTTP/1.1\r\nHost: localhost\r\n${many}X-Forwarded-For: 192.0.2.1\r\n\r\n`,
      )
      const { status } = await connection.answer()
      if (status === 200) assert.deepEqual(seen, ['192.0.2.1'], `${count} headers`)
      else assert.deepEqual([status, seen], [431, []], `${count} headers`)
    }
  })

  for (const [what, body] of [
    ['blank lines', '\n'.repeat(MIB)],
    ['lines of spaces', ' \n'.repeat(MIB / 2)],
    ['one line of spaces', ' '.repeat(MIB)],
    ['empty objects', '{}\n'.repeat(340_000)],
    ['more events than a batch has', '{"data":1}\n'.repeat(95_000)],
    ['one open string', `{"data":"${'x'.repeat(MIB - 20)}`],
    ['one member called many times', `{${'"data":1,'.repeat(100_000)}"data":1,"other":1}`],
    ['many members', `{"data":1${Array.from({ length: 60_000 }, (_, n) => `,"m${n}":1`).join('')}}`],
    ['a list without end', `{"data":${'['.repeat(MIB - 20)}`],
    ['lists in lists', `{"data":${'['.repeat(MIB / 4)}${']'.repeat(MIB / 4)}}`],
    ['objects in objects', `{"data":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
    ['a number without end', `{"data":1${'0'.repeat(MIB - 20)}`],
  ] as const)
    test(`refuses a megabyte of ${what} soon, and with an answer that says what was wrong`, async () => {
      errors.length = 0
      const got = await soon(() =>
        ask(`${server.url}/channels/ndjson`, { method: 'POST', body, headers: NDJSON }),
      )
      assert.ok(got.status === 400 || got.status === 413, `${got.status} ${got.text.slice(0, 200)}`)
      const { code } = JSON.parse(got.text) as { code: string }
      problemOf(got, got.status, code)
      assert.deepEqual(errors, [])
      assert.deepEqual((await hub.read('ndjson', { after: 'start' })).events, [])
    })

  for (const [name, value] of [
    ['Content-Type', `text/plain; charset=${' '.repeat(12_000)}x"x`],
    ['Content-Type', `text/plain;${' charset=utf-8 ;'.repeat(800)}x`],
    ['Accept', `${'text/event-stream;q=,'.repeat(700)}x`],
    ['Accept', `text/event-stream;q=${'\t'.repeat(12_000)}1x`],
    ['Accept-Encoding', `${'gzip;q=0.,'.repeat(1_200)}x`],
    ['Prefer', `wait${' '.repeat(12_000)}=x`],
    ['If-None-Match', `W/${'"'.repeat(12_001)}`],
    ['If-None-Match', `${'W/"a",'.repeat(2_000)}"`],
    ['Authorization', `Bearer${' '.repeat(12_000)}x x`],
    ['Cookie', `${'a=;'.repeat(4_000)}=`],
    ['Last-Event-ID', '-'.repeat(12_000)],
    ['Idempotency-Key', '\t'.repeat(12_000)],
    ['X-Forwarded-For', `${','.repeat(12_000)}x`],
    ['Origin', `http://${'@'.repeat(12_000)}`],
    ['Host', `${'['.repeat(12_000)}]`],
  ] as const)
    test(`looks at ${name}: ${value.slice(0, 30).trim()}… in linear time`, async () => {
      const others = name === 'Host' ? '' : 'Host: localhost\r\n'
      const body = 'Content-Length: 0\r\nConnection: close\r\n\r\n'
      for (const method of ['POST', 'GET']) {
        using connection = new RawConnection(server.url)
        const head = `${method} /channels/head HTTP/1.1\r\n${others}${name}: ${value}\r\n${body}`
        connection.send(head)
        await soon(() => connection.answer())
      }
    })

  test('says of data that is nested too deeply which line it is', async () => {
    const body = `{"data":1}\n{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const got = await ask(`${server.url}/channels/deep`, { method: 'POST', body, headers: NDJSON })
    assert.equal(problemOf(got, 400, 'invalid-ndjson')['line'], 2)
    let data: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) data = [data]
    await assert.rejects(hub.publish('deep', { data }), { code: 'invalid-data' })
  })

  test('reads an endless body no further than its limit', async () => {
    using connection = new RawConnection(server.url)
    connection.send(bytes('POST /channels/endless', { 'Transfer-Encoding': 'chunked' }))
    const chunk = `10000\r\n${'x'.repeat(0x1_0000)}\r\n`
    let sent = 0
    while (connection.text === '' && sent < 1_000) {
      connection.send(chunk)
      sent++
      await new Promise(setImmediate)
    }
    assert.equal((await connection.answer()).status, 413)
    await connection.closed
  })

  test('counts the chunks of a body by their bytes, also when each has one', async () => {
    using connection = new RawConnection(server.url)
    connection.send(bytes('POST /channels/chunks', { 'Transfer-Encoding': 'chunked' }))
    connection.send(`${'1\r\nx\r\n'.repeat(100_000)}0\r\n\r\n`)
    assert.equal((await soon(() => connection.answer())).status, 200)
    assert.equal((await hub.read('chunks', { after: 'start' })).events[0]?.data.length, 100_000)
  })
})
