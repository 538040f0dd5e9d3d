/** Connections of the hub's own server, byte by byte: keep-alive, pipelining, half-closed, HTTP/1.0; with sockets lent, and without. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Page } from '@downlink/wire'
import { ask, askPage, post, problemOf } from './wire-contract/client.ts'
import { counts, type Face, fresh, shared, untilCounts } from './wire-contract/face.ts'
import { keepingServer, ownServer, preparedServer, secureServer } from './wire-contract/faces.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

const data = (body: string): readonly string[] => (JSON.parse(body) as Page).events.map((event) => event.data)
const SSE = { Accept: 'text/event-stream' }

for (const face of [ownServer, keepingServer, secureServer, preparedServer])
  describe(face.name, () => connectionFacts(face))

function connectionFacts(face: Face): void {
  describe('keep-alive', () => {
    const hub = shared(face)

    test('P18.1.1 a connection is kept for the next request, and told for how long', async () => {
      using connection = new RawConnection(hub.url)
      for (const line of [
        'GET /channels/x',
        'POST /channels/x',
        'GET /channels/a..b',
        'DELETE /channels/nobody',
      ]) {
        const { headers } = await connection.send(bytes(line, {}, 'x')).answer()
        assert.deepEqual([headers['connection'], headers['keep-alive']], ['keep-alive', 'timeout=75'], line)
      }
    })

    test('P18.1.1 Connection: close closes it', async () => {
      using connection = new RawConnection(hub.url)
      assert.equal(
        (await connection.send(bytes('GET /healthz', { Connection: 'close' })).answer()).status,
        200,
      )
      await connection.closed
    })
  })

  describe('pipelining', () => {
    const hub = shared(face)

    test('P18.1.2 requests in one packet are answered in order', async () => {
      const channels = Array.from({ length: 20 }, () => fresh())
      for (const channel of channels) await post(`${hub.url}/channels/${channel}`, channel)
      using connection = new RawConnection(hub.url)
      connection.send(channels.map((channel) => bytes(`GET /channels/${channel}`)).join(''))
      for (const channel of channels) assert.deepEqual(data((await connection.answer()).body), [channel])
    })

    test('P18.1.2 P1.2.5 a read behind a publish in one packet sees its event', async () => {
      const channel = fresh()
      using connection = new RawConnection(hub.url)
      connection.send(
        bytes(`POST /channels/${channel}`, {}, 'one') +
          bytes(`GET /channels/${channel}`) +
          bytes(`POST /channels/${channel}?end`, {}, 'two') +
          bytes(`GET /channels/${channel}`) +
          bytes(`DELETE /channels/${channel}`) +
          bytes(`GET /channels/${channel}`),
      )
      assert.equal((await connection.answer()).status, 200)
      assert.deepEqual(data((await connection.answer()).body), ['one'])
      assert.equal((await connection.answer()).status, 200)
      assert.deepEqual(data((await connection.answer()).body), ['one', 'two'])
      assert.equal((await connection.answer()).status, 204)
      assert.deepEqual(data((await connection.answer()).body), [])
    })

    test('P18.1.2 a poll behind a long poll waits its turn', async () => {
      const channel = fresh()
      using connection = new RawConnection(hub.url)
      connection.send(bytes(`GET /channels/${channel}?wait=60`) + bytes(`GET /channels/${channel}`))
      await untilCounts(hub, { readers: 0, waiting: 1 })
      assert.equal(connection.text, '')
      await post(`${hub.url}/channels/${channel}`, 'x')
      for (let n = 0; n < 2; n++) assert.deepEqual(data((await connection.answer()).body), ['x'])
    })

    test('P18.1.2 P19.1.1 of many long polls in one packet one waits at a time', async () => {
      using connection = new RawConnection(hub.url)
      connection.send(bytes(`GET /channels/${fresh()}?wait=60`).repeat(50))
      await untilCounts(hub, { readers: 0, waiting: 1 })
      await ask(`${hub.url}/healthz`)
      assert.equal((await counts(hub)).waiting, 1)
      connection.cut()
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P18.1.2 a connection that sends more than 100 requests without reading an answer is cut', async () => {
      using connection = new RawConnection(hub.url)
      const poll = bytes('GET /healthz')
      connection.send(bytes(`GET /channels/${fresh()}?wait=60`) + poll.repeat(99))
      await untilCounts(hub, { readers: 0, waiting: 1 })
      connection.send(poll.repeat(100))
      await connection.closed
      assert.equal(connection.text, '')
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P18.1.2 a stream behind a publish in one packet begins after it', async () => {
      const channel = fresh()
      using connection = new RawConnection(hub.url)
      connection.send(
        bytes(`POST /channels/${channel}`, {}, 'x') + bytes(`GET /channels/${channel}?last=1`, SSE),
      )
      assert.equal((await connection.answer()).status, 200)
      await connection.until((text) => text.includes('data: x\n\n'))
    })

    test('P18.1.2 what is pipelined behind a stream is neither answered nor done', async () => {
      const channel = fresh()
      using connection = new RawConnection(hub.url)
      connection.send(
        bytes(`GET /channels/${channel}`, SSE) +
          bytes(`POST /channels/${channel}`, {}, 'behind') +
          bytes('GET /healthz'),
      )
      await connection.until((text) => text.includes('downlink:open'))
      await post(`${hub.url}/channels/${channel}?end`, 'last')
      await connection.closed
      assert.equal(connection.text.match(/HTTP\/1\.1/g)?.length, 1)
      assert.deepEqual(
        (await askPage(`${hub.url}/channels/${channel}`)).events.map((event) => event.data),
        ['last'],
      )
    })

    test('P19.1.1 a stream behind a long poll on a connection that breaks leaves nothing behind', async () => {
      const connection = new RawConnection(hub.url)
      connection.send(bytes(`GET /channels/${fresh()}?wait=60`) + bytes(`GET /channels/${fresh()}`, SSE))
      await untilCounts(hub, { readers: 0, waiting: 1 })
      connection.cut()
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })
  })

  describe('streams for the fetch of Node', () => {
    const hub = shared(face)

    test('P6.1.2 they are chunked, and their connection stays', async () => {
      const channel = fresh()
      for (const agent of ['node', 'undici']) {
        using connection = new RawConnection(hub.url)
        const { headers } = await connection
          .send(bytes(`GET /channels/${channel}`, { ...SSE, 'User-Agent': agent }))
          .answer({ head: true })
        assert.deepEqual([headers['transfer-encoding'], headers['connection']], ['chunked', 'keep-alive'])
      }
    })

    const skip = face.cannot?.fetch ?? false
    test('a slow reader of one is alive when it ends', { skip }, async () => {
      const channel = fresh()
      const response = await fetch(`${hub.url}/channels/${channel}`, { headers: SSE })
      const reader = response.body?.getReader()
      assert.ok(reader)
      // All of it, and the end, are there before anybody reads: fetch takes in a part, and the rest a part at a time.
      const data = 'x'.repeat(85_000)
      await post(`${hub.url}/channels/${channel}`, data)
      await post(`${hub.url}/channels/${channel}?end`, data)
      await untilCounts(hub, { readers: 0, waiting: 0 })
      let size = 0
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        size += part.value.length
        // So that a part is taken in while nobody waits for it.
        for (let turn = 0; turn < 10; turn++) await setImmediate()
      }
      assert.ok(size > 2 * data.length)
    })
  })

  describe('half-closed connections', () => {
    const hub = shared(face)

    test('P18.1.3 polls, publishes and refusals are answered', async () => {
      const channel = fresh()
      for (const [request, status] of [
        [bytes(`POST /channels/${channel}`, {}, 'x'), 200],
        [bytes(`GET /channels/${channel}`), 200],
        [bytes(`GET /channels/a..b`), 400],
        [bytes(`GET /healthz`).repeat(3), 200],
      ] as const) {
        using connection = new RawConnection(hub.url)
        connection.send(request).half()
        assert.equal((await connection.answer()).status, status)
        await connection.closed
      }
    })

    test('P18.1.3 a long poll is answered when its event comes', async () => {
      const channel = fresh()
      using connection = new RawConnection(hub.url)
      connection.send(bytes(`GET /channels/${channel}?wait=60`)).half()
      await untilCounts(hub, { readers: 0, waiting: 1 })
      await post(`${hub.url}/channels/${channel}`, 'late')
      assert.deepEqual(data((await connection.answer()).body), ['late'])
      await connection.closed
    })

    test('P18.1.3 a stream is ended when its peer half-closes', async () => {
      using connection = new RawConnection(hub.url)
      connection.send(bytes(`GET /channels/${fresh()}`, SSE))
      await connection.until((text) => text.includes('\n\n'))
      connection.half()
      await connection.closed
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P18.1.3 a stream whose peer half-closed with the request is ended', async () => {
      const channel = fresh()
      await post(`${hub.url}/channels/${channel}`, 'x')
      using connection = new RawConnection(hub.url)
      connection.send(bytes(`GET /channels/${channel}?after=start`, SSE)).half()
      await connection.closed
      assert.match(connection.text, /^HTTP\/1\.1 200 /)
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })
  })

  describe('HTTP/1.0, absolute targets, upgrades', () => {
    const hub = shared(face)

    test('P18.2.1 a poll is answered with its length, and the connection closed, unless it asked for keep-alive', async () => {
      {
        using connection = new RawConnection(hub.url)
        const answer = await connection.send('GET /channels/x HTTP/1.0\r\nHost: localhost\r\n\r\n').answer()
        assert.deepEqual([answer.status, answer.headers['transfer-encoding']], [200, undefined])
        assert.equal(Number(answer.headers['content-length']), answer.body.length)
        await connection.closed
      }
      using connection = new RawConnection(hub.url)
      for (let n = 0; n < 2; n++) {
        connection.send('GET /channels/x HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n')
        assert.equal((await connection.answer()).headers['connection'], 'keep-alive')
      }
    })

    test('P18.2.1 P6.1.2 a stream is delimited by the end of its connection', async () => {
      const channel = fresh()
      using connection = new RawConnection(hub.url)
      connection.send(
        `GET /channels/${channel} HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
      )
      await connection.until((text) => text.includes('downlink:open'))
      await post(`${hub.url}/channels/${channel}?end`, 'x')
      const { headers, body } = await connection.answer()
      assert.deepEqual([headers['transfer-encoding'], headers['content-length']], [undefined, undefined])
      assert.match(body, /^retry: \d+\nevent: downlink:open\n[^]*\ndata: x\n\nevent: downlink:end\n/)
    })

    test('P17.1.2 HTTP/1.0 without Host is refused by the guard', async () => {
      using connection = new RawConnection(hub.url)
      const answer = await connection.send('GET /channels/x HTTP/1.0\r\n\r\n').answer()
      problemOf({ ...answer, text: answer.body }, 403, 'guard')
    })

    test('P17.1.2 a target in absolute form is for its own authority, whatever Host says', async () => {
      const channel = fresh()
      await post(`${hub.url}/channels/${channel}`, 'x')
      using connection = new RawConnection(hub.url)
      connection.send(bytes(`GET http://LOCALHOST:80/channels/${channel}?limit=1`))
      assert.deepEqual(data((await connection.answer()).body), ['x'])
      for (const authority of ['evil.example', 'localhost@evil.example', '']) {
        const answer = await connection.send(bytes(`GET http://${authority}/channels/${channel}`)).answer()
        assert.ok(answer.status === 403 || answer.status === 400, authority)
      }
    })

    test('P18.1.5 Upgrade is ignored', async () => {
      using connection = new RawConnection(hub.url)
      const headers = { Connection: 'Upgrade', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' }
      assert.equal((await connection.send(bytes('GET /channels/x', headers)).answer()).status, 200)
    })

    test('P18.4.3 OPTIONS * is answered', async () => {
      using connection = new RawConnection(hub.url)
      assert.equal((await connection.send(bytes('OPTIONS *')).answer()).status, 204)
    })
  })

  describe('a stop', () => {
    test('P5.1.6 P14.1.1 ends streams, answers long polls, closes idle connections, and is over', async () => {
      const hub = await face.start()
      using idle = new RawConnection(hub.url)
      await idle.send(bytes('GET /healthz')).answer()
      using stream = new RawConnection(hub.url)
      stream.send(bytes('GET /channels/x', SSE))
      await stream.until((text) => text.includes('\n\n'))
      using waiting = new RawConnection(hub.url)
      waiting.send(bytes('GET /channels/x?wait=60'))
      await untilCounts(hub, { readers: 1, waiting: 1 })
      const stopped = hub.stop()
      assert.equal((await waiting.answer()).status, 200)
      await Promise.all([idle.closed, stream.closed, waiting.closed])
      await stopped
      await assert.rejects(ask(`${hub.url}/healthz`), { code: 'ECONNREFUSED' })
    })
  })
}
