/** Content codings: what is negotiated, and that what is coded says the same, as it comes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { ask, askBytes, type EventStream, openStream, post } from './client.ts'
import { type Face, fresh, shared, untilCounts } from './face.ts'

const gzip = { 'accept-encoding': 'gzip' }
const large = (name: string): string => `${name} ${'the same again and again '.repeat(40)}`

export function codingFacts(face: Face): void {
  describe('coded streams', () => {
    const hub = shared(face, {
      handler: { compress: ['c.**', 'open'] },
      delivery: { heartbeatMs: 100 },
    })
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const name = (): string => fresh('c.channel')

    async function coding(path: string, accept: string | undefined): Promise<string | undefined> {
      const headers = {
        accept: 'text/event-stream',
        ...(accept !== undefined && { 'accept-encoding': accept }),
      }
      const got = await ask(at(path), { method: 'HEAD', headers })
      assert.equal(got.status, 200)
      assert.match(got.headers.vary ?? '', /Accept-Encoding/)
      return got.headers['content-encoding']
    }

    async function crowd(path: string, count: number): Promise<readonly EventStream[]> {
      const streams = await Promise.all(Array.from({ length: count }, () => openStream(at(path), gzip)))
      for (const stream of streams) assert.equal((await stream.next())?.type, 'downlink:open')
      return streams
    }

    test('P15.4.2 a stream is gzip for those who want it no less than none', async () => {
      const channel = name()
      for (const accept of [
        'gzip',
        'x-gzip',
        'GZIP',
        'br, gzip;q=0.1',
        '*',
        'gzip;q=0.5, identity;q=0.5',
        'deflate, gzip, br, zstd',
      ])
        assert.equal(await coding(channel, accept), 'gzip', accept)
      for (const accept of [undefined, '', 'br', 'identity', 'gzip;q=0', 'gzip;q=0.5, identity', 'gzip;q=2'])
        assert.equal(await coding(channel, accept), undefined, String(accept))
      // Where the hub's runtime has it, and for those who take no gzip, or less.
      for (const accept of ['zstd', 'zstd, gzip;q=0.9', 'zstd, identity'])
        assert.match(
          String(await coding(channel, accept)),
          accept.includes('gzip') ? /^(?:zstd|gzip)$/ : /^(?:zstd|undefined)$/,
          accept,
        )
    })

    test('P15.4.2 only when all of its names and patterns are among what is compressed', async () => {
      for (const path of ['open', 'c.x', 'c.*', 'c.**', 'c.*.d,open', 'open,c.a,c.b'])
        assert.equal(await coding(path, 'gzip'), 'gzip', path)
      for (const path of ['c', 'other', '**', '*.x', 'open,other', 'open.x', 'c.**,*'])
        assert.equal(await coding(path, 'gzip'), undefined, path)
    })

    test('P15.4.3 each event can be read when it has come, by one reader and by ten, and by one who comes later', async () => {
      const channel = name()
      const [first] = await crowd(channel, 1)
      await post(at(channel), large('alone'))
      assert.equal((await first!.next())?.data, large('alone'))
      const streams = [first!, ...(await crowd(channel, 9))]
      for (const data of ['small', large('one'), large('two')]) {
        await post(at(channel), data)
        for (const stream of streams) assert.equal((await stream.next())?.data, data)
      }
      const [late] = await crowd(channel, 1)
      await post(at(channel), large('three'))
      for (const stream of [...streams, late!]) {
        assert.equal((await stream.next())?.data, large('three'))
        assert.equal(stream.headers['content-encoding'], 'gzip')
        stream.close()
      }
    })

    test('P15.4.3 what is sent to many is smaller', async () => {
      const channel = name()
      const streams = await crowd(channel, 10)
      const before = streams[0]!.received
      const data = JSON.stringify(
        Array.from({ length: 500 }, (_, index) => ({ price: index, symbol: 'ABC' })),
      )
      await post(at(channel), data)
      for (const stream of streams) assert.equal((await stream.next())?.data, data)
      assert.ok(streams[0]!.received - before < data.length / 4)
      for (const stream of streams) stream.close()
    })

    test('P15.4.3 heartbeats are read as they come', async () => {
      using stream = await openStream(at(name()), gzip)
      await stream.heard(2)
      assert.deepEqual(stream.comments.slice(0, 2), ['', ''])
    })

    test('P15.4.4 a clean end has the trailer of all that was in the stream', async () => {
      const channel = name()
      const streams = await crowd(channel, 9)
      await post(at(channel), large('one'))
      await post(at(`${channel}?end`), large('last'))
      for (const stream of streams) {
        const events = await stream.take(3)
        assert.deepEqual(
          events.map(({ type, data }) => (type === 'message' ? data : type)),
          [large('one'), large('last'), 'downlink:end'],
        )
        await stream.ended
        assert.equal(stream.failure, undefined)
      }
    })

    test('P15.4.4 a cut is no clean end', async () => {
      const channel = name()
      const [stream] = await crowd(channel, 1)
      await post(at(channel), 'one')
      await stream!.next()
      stream!.close()
      await stream!.ended
      assert.notEqual(stream!.failure, undefined)
    })

    test('a coded stream goes on from a cursor, and tells a gap', async () => {
      const channel = name()
      const [one] = await post(at(channel), large('one'))
      await post(at(channel), large('two'))
      using stream = await openStream(at(channel), { ...gzip, 'last-event-id': one! })
      const [open, two] = await stream.take(2)
      assert.deepEqual([open?.lastEventId, two?.data], [one, large('two')])
      using lost = await openStream(at(channel), { ...gzip, 'last-event-id': 'other-1' })
      assert.equal((await lost.take(2))[1]?.type, 'downlink:gap')
    })

    test('a reader that takes nothing for a while comes back to every event, and its stream is whole', async () => {
      const channel = name()
      const count = 150
      const stream = (await crowd(channel, 1))[0]!
      stream.pause()
      // What can't be made smaller, so that the connection fills.
      const noise = Buffer.from(
        Uint8Array.from({ length: 80_000 }, (_, index) => (index * index * 7919) >>> 5),
      ).toString('base64')
      for (let index = 0; index < count; index++) await post(at(channel), `${index} ${noise}`)
      const others = await crowd(channel, 8)
      const metrics = await ask(`${hub.url}/metrics`)
      assert.match(metrics.text, /^downlink_slow_streams 1$/m)
      stream.resume()
      for (let index = 0; index < count; index++)
        assert.equal((await stream.next())?.data.split(' ', 1)[0], `${index}`)
      await post(at(`${channel}?end`), large('last'))
      for (const one of [stream, ...others]) {
        assert.equal((await one.next())?.data, large('last'))
        await one.ended
        assert.equal(one.failure, undefined)
      }
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    const skip = face.cannot?.['fetch'] ?? false
    test(
      'fetch reads a coded stream to its end, and its connection can be used again',
      { skip },
      async () => {
        const channel = name()
        await post(at(`${channel}?end`), large('one'))
        for (let round = 0; round < 3; round++) {
          const response = await fetch(at(`${channel}?after=start`), {
            headers: { accept: 'text/event-stream' },
          })
          assert.equal(response.headers.get('content-encoding'), 'gzip')
          assert.ok((await response.text()).includes(large('one')))
        }
      },
    )

    test('a refusal of a stream is not coded', async () => {
      const got = await ask(at('c..x'), { headers: { accept: 'text/event-stream', ...gzip } })
      assert.equal(got.headers['content-encoding'], undefined)
    })
  })

  describe('coded pages', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const decode = {
      br: brotliDecompressSync,
      gzip: gunzipSync,
      zstd: zstdDecompressSync,
    }

    test('P15.4.1 a page is coded as it is wanted, and says the same', async () => {
      const channel = fresh()
      await post(at(channel), large('one'))
      const plain = await askBytes(at(channel))
      assert.equal(plain.headers['content-encoding'], undefined)
      const none = await ask(at(channel), { method: 'HEAD', headers: { 'accept-encoding': 'gzip, br' } })
      assert.equal(none.headers['content-encoding'], 'br')
      for (const [accept, coding] of [
        ['gzip', 'gzip'],
        ['gzip, deflate, br', 'br'],
        ['gzip, deflate, br, zstd', 'br'],
        ['br;q=0.5, gzip', 'gzip'],
        ['*', 'br'],
      ] as const) {
        for (let round = 0; round < 2; round++) {
          const coded = await askBytes(at(channel), { headers: { 'accept-encoding': accept } })
          assert.equal(coded.headers['content-encoding'], coding, accept)
          assert.equal(coded.headers['content-length'], String(coded.bytes.length))
          assert.ok(coded.bytes.length < plain.bytes.length / 3)
          assert.ok(decode[coding](coded.bytes).equals(plain.bytes))
          for (const header of ['etag', 'vary', 'cache-control', 'content-type'])
            assert.equal(coded.headers[header], plain.headers[header])
        }
      }
    })

    test('P15.4.1 zstd, where the hub’s runtime has it', async () => {
      const channel = fresh()
      await post(at(channel), large('one'))
      const plain = await askBytes(at(channel))
      const coded = await askBytes(at(channel), { headers: { 'accept-encoding': 'zstd' } })
      if (coded.headers['content-encoding'] === undefined) assert.ok(coded.bytes.equals(plain.bytes))
      else assert.ok(decode.zstd(coded.bytes).equals(plain.bytes))
    })

    test('P15.4.1 none where it was not asked for, for less than 1,024 bytes, and for a read of several parts', async () => {
      const [channel, small] = [fresh(), fresh()]
      await post(at(channel), large('one'))
      await post(at(small), 'x')
      const codingOf = async (path: string, accept: string): Promise<string | undefined> =>
        (await ask(at(path), { headers: { 'accept-encoding': accept } })).headers['content-encoding']
      assert.equal(await codingOf(channel, 'gzip'), 'gzip')
      assert.equal(await codingOf('*', 'gzip'), 'gzip')
      assert.equal(await codingOf(small, 'gzip'), undefined)
      assert.equal(await codingOf(`${channel},${small}`, 'gzip'), undefined)
      assert.equal(await codingOf(channel, 'identity'), undefined)
      assert.equal(await codingOf(channel, 'gzip;q=0.2, identity'), undefined)
      assert.equal(await codingOf(`${channel}?wait=0`, 'gzip'), undefined)
    })

    test('P4.2.2 the tag of a page is that of its coded forms', async () => {
      const channel = fresh()
      await post(at(channel), large('one'))
      const { headers } = await ask(at(channel), { headers: gzip })
      const again = await ask(at(channel), { headers: { ...gzip, 'if-none-match': headers.etag ?? '' } })
      assert.deepEqual([again.status, again.text, again.headers['content-encoding']], [304, '', undefined])
    })
  })
}
