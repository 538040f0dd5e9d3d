/**
 * Whatever bytes come, however they are cut: no stranger gets the server to fail. Without the guards of `lend.ts` some of these
 * end the process with `ERR_INTERNAL_ASSERTION`.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { lenderOf } from '../src/http/lend.ts'
import { serveHub } from '../src/http/server.ts'
import { createHub } from '../src/hub.ts'
import { ask } from './wire-contract/client.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

const SSE = { Accept: 'text/event-stream' }
const STREAM = bytes('GET /channels/x', SSE)
const POLL = bytes('GET /channels/x?wait=9')
const PIECES: readonly string[] = [
  STREAM,
  POLL,
  bytes('GET /channels/x', { ...SSE, 'User-Agent': 'node' }),
  bytes('GET /channels/over?after=start', SSE),
  bytes('GET /channels/over?after=now&wait=9'),
  bytes('GET /channels/a..b', SSE),
  bytes('GET /channels/x', { ...SSE, Connection: 'close' }),
  bytes('GET /channels/x', SSE, 'body'),
  bytes('GET /channels/x', { ...SSE, Upgrade: 'websocket', Connection: 'Upgrade' }),
  bytes('GET /channels/x', { ...SSE, Expect: '100-continue' }),
  bytes('GET /channels/x', { ...SSE, Expect: 'wonders' }),
  'GET /channels/x HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n',
  'GET /channels/x HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n',
  bytes('POST /channels/x', {}, 'event'),
  `${bytes('POST /channels/x', { 'Transfer-Encoding': 'chunked' })}1\r\nx\r\n0\r\n\r\n`,
  bytes('GET /channels/x'),
  bytes('HEAD /channels/x', SSE),
  bytes('CONNECT localhost:80'),
  bytes('OPTIONS *'),
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\r\n',
  '\r\n\r\n',
  'garbage\r\n\r\n',
  'G',
  '\0',
]

/** Some pieces, each with where it is cut in two, if it is; and whether they come one by one. */
const script = fc.record({
  pieces: fc.array(fc.tuple(fc.constantFrom(STREAM, POLL, ...PIECES), fc.option(fc.nat(80))), {
    minLength: 1,
    maxLength: 5,
  }),
  apart: fc.boolean(),
  half: fc.boolean(),
})

describe('lending to strangers', () => {
  test('survives any requests in any parts, and forgets all of them', { timeout: 120_000 }, async () => {
    const hub = createHub()
    const own = await serveHub(hub, { host: '127.0.0.1', graceMs: 100 })
    try {
      await hub.publish('over', 'x', { end: true })
      await fc.assert(
        fc.asyncProperty(script, async ({ pieces, apart, half }) => {
          const connection = new RawConnection(own.url)
          let packet = ''
          for (const [text, cut] of pieces) {
            packet += cut === null ? text : text.slice(0, cut)
            if (cut === null && !apart) continue
            connection.send(packet)
            packet = cut === null ? '' : text.slice(cut)
            // So that it is read by itself.
            for (let turn = 0; turn < 3; turn++) await setImmediate()
          }
          connection.send(packet)
          if (half) connection.half()
          assert.equal((await ask(`${own.url}/healthz`)).status, 200)
          connection.socket.resetAndDestroy()
          // Of one that has closed its side before nothing is noticed, until it is told something.
          while (hub.delivery.readers + hub.delivery.waiting > 0) {
            await hub.publish('x', 'event')
            await setImmediate()
          }
        }),
        { numRuns: 1_000 },
      )
      const { lent = 0, kept } = lenderOf(own.server) ?? {}
      const reasons = [...(kept?.keys() ?? [])].sort()
      assert.ok(lent > 100, `only ${lent} were lent`)
      assert.deepEqual(reasons, ['behind', 'head', 'turn'])
    } finally {
      await own.stop()
      await hub.close()
    }
  })

  test('P18.1.2 gives the same answers however a long poll and what follows are cut', async () => {
    const hub = createHub()
    const own = await serveHub(hub, { host: '127.0.0.1', graceMs: 100 })
    try {
      await hub.publish('over', 'x', { end: true })
      const requests = [
        bytes('GET /channels/over?after=start&wait=9'),
        bytes('POST /channels/y', {}, 'two'),
        bytes('GET /channels/over?after=now&transport=long-poll'),
        bytes('GET /channels/over?after=now', SSE),
        bytes('GET /channels/a..b?wait=9'),
        bytes('GET /healthz', { Connection: 'close' }),
      ]
      const text = requests.join('')
      for (let cut = 1; cut < text.length; cut += 3) {
        using connection = new RawConnection(own.url)
        connection.send(text.slice(0, cut))
        await setImmediate()
        await setImmediate()
        connection.send(text.slice(cut))
        const statuses: number[] = []
        for (const _ of requests) statuses.push((await connection.answer()).status)
        assert.deepEqual(statuses, [200, 200, 200, 204, 400, 200], `cut at ${cut}`)
        await connection.closed
      }
    } finally {
      await own.stop()
      await hub.close()
    }
  })
})
