/** Publishing, ending, erasing. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Ask, ask, askPage, type Got, post, problemOf } from './client.ts'
import { type Face, fresh, shared } from './face.ts'

export function publishFacts(face: Face): void {
  describe('publishing', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const send = (path: string, what: Ask = {}): Promise<Got> => ask(at(path), { method: 'POST', ...what })

    for (const type of [
      undefined,
      'text/plain; charset=utf-8',
      'application/json',
      'application/x-www-form-urlencoded',
      'application/octet-stream',
      'text/plain;charset="UTF8"',
      'no media type at all',
    ]) {
      test(`P9.2.1 a body of ${type ?? 'no type'} is the data, verbatim`, async () => {
        const channel = fresh()
        const body = '\ufeff{"a": 1}&b=%20+ \n\ttail\0 é🎉'
        const got = await send(channel, { body, headers: type === undefined ? {} : { 'content-type': type } })
        assert.equal(got.headers['content-type'], 'application/json')
        const { ids } = JSON.parse(got.text) as { ids: string[] }
        const { events } = await askPage(at(channel))
        assert.deepEqual(
          events.map(({ id, data, type }) => [id, data, type]),
          [[ids[0], body, 'message']],
        )
      })
    }

    test('P2.4.2 CR and CRLF become LF', async () => {
      const channel = fresh()
      await post(at(channel), 'a\rb\r\nc\n\rd')
      assert.equal((await askPage(at(channel))).events[0]?.data, 'a\nb\nc\n\nd')
    })

    test('P9.2.1 an empty body is an event with empty data', async () => {
      const channel = fresh()
      assert.equal((await post(at(channel), '')).length, 1)
      assert.equal((await askPage(at(channel))).events[0]?.data, '')
    })

    test('P9.1.1 P9.1.3 with several names each channel gets its own event, in the order of the path', async () => {
      const [a, b, c] = [fresh('z'), fresh('y'), fresh('x')]
      const ids = await post(at(`${a},${b},${c}?type=t`), 'x')
      const { events } = await askPage(at(`${c},${b},${a}`))
      assert.deepEqual(
        events.map(({ id, channel, type }) => [id, channel, type]),
        [a, b, c].map((channel, n) => [ids[n], channel, 't']),
      )
    })

    test('P1.2.5 a publish that was answered is in every read that begins later', async () => {
      const channel = fresh()
      for (let n = 0; n < 20; n++) {
        const [id] = await post(at(channel), String(n))
        assert.equal((await askPage(at(`${channel}?last=1`))).events[0]?.id, id)
      }
    })

    test('P9.2.4 P2.4.1 ?type= names the event, up to 255 bytes', async () => {
      const channel = fresh()
      for (const type of ['paid', 'é'.repeat(127) + 'x', 'with space', 'message'])
        await post(at(`${channel}?type=${encodeURIComponent(type)}`), type)
      for (const { type, data } of (await askPage(at(channel))).events) assert.equal(type, data)
    })

    for (const wrong of ['', 'a\nb', 'a\rb', 'a\0b', 'downlink:open', 'downlink:', 'é'.repeat(128)]) {
      test(`P9.2.4 ${JSON.stringify(wrong.slice(0, 20))} (${wrong.length}) is no type`, async () => {
        const got = await send(`x?type=${encodeURIComponent(wrong)}`, { body: 'x' })
        assert.equal(problemOf(got, 400, 'invalid-type')['parameter'], 'type')
      })
    }

    test('P9.2.2 bytes that are not UTF-8 are refused, and nothing is stored', async () => {
      const channel = fresh()
      for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]])
        problemOf(await send(channel, { body: Uint8Array.from(bytes) }), 400, 'invalid-utf8')
      assert.deepEqual((await askPage(at(channel))).events, [])
    })

    test('P9.2.3 forms of parts, other charsets and encodings are 415', async () => {
      for (const headers of [
        { 'content-type': 'multipart/form-data; boundary=x' },
        { 'content-type': 'text/plain; charset=iso-8859-1' },
        { 'content-type': 'text/plain; format=flowed; charset="utf-16"' },
        { 'content-encoding': 'gzip' },
      ])
        problemOf(await send('x', { headers, body: 'x' }), 415, 'unsupported-media-type')
      await post(at(fresh()), 'x', { 'content-encoding': 'identity' })
    })

    test('P9.1.2 other parameters than type and end are refused', async () => {
      const problem = problemOf(await send('x?limit=1', { body: 'x' }), 400, 'unknown-parameter')
      assert.equal(problem['parameter'], 'limit')
    })

    test('P9.1.1 P2.1.4 P2.2.4 what can’t be published to', async () => {
      problemOf(await send('a,a', { body: 'x' }), 400, 'duplicate-channel')
      problemOf(await send('a,b.*', { body: 'x' }), 400, 'pattern-not-allowed')
      problemOf(await send('$hub.x', { body: 'x' }), 403, 'reserved-channel')
      problemOf(await send('a,b..c', { body: 'x' }), 400, 'invalid-channel')
      const many = Array.from({ length: 65 }, () => fresh()).join(',')
      assert.equal(problemOf(await send(many, { body: 'x' }), 400, 'too-many-channels')['limit'], 64)
    })

    test('P13.1.3 nothing is stored by a publish that is refused for one of its channels', async () => {
      const [open, ended] = [fresh(), fresh()]
      await post(at(`${ended}?end`), '')
      problemOf(await send(`${open},${ended}`, { body: 'x' }), 409, 'channel-ended')
      assert.deepEqual((await askPage(at(open))).events, [])
    })
  })

  describe('body limits', () => {
    const hub = shared(face, { handler: { bodyLimit: 100 } })

    test('P9.2.5 a body of the limit is taken, one more byte is 413, by its length and by count', async () => {
      const url = `${hub.url}/channels/${fresh()}`
      await post(url, 'x'.repeat(100))
      for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
        const got = await ask(url, { method: 'POST', headers, body: 'x'.repeat(101) })
        assert.equal(problemOf(got, 413, 'body-too-large')['limit'], 100)
      }
      await post(url, 'x'.repeat(100), { 'transfer-encoding': 'chunked' })
      assert.equal((await askPage(url)).events.length, 2)
    })
  })

  describe('ending and erasing', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const send = (path: string, what: Ask = {}): Promise<Got> => ask(at(path), { method: 'POST', ...what })
    const erase = (path: string): Promise<Got> => ask(at(path), { method: 'DELETE' })

    test('P11.1.1 ?end, ?end= and ?end=true end the channel with the event; other values are refused', async () => {
      for (const end of ['?end', '?end=', '?end=true', '?end&type=bye']) {
        const channel = fresh()
        await post(at(channel + end), 'last')
        const page = await askPage(at(channel))
        assert.deepEqual([page.events[0]?.data, page.ended], ['last', [channel]])
        problemOf(await send(channel, { body: 'late' }), 409, 'channel-ended')
      }
      for (const end of ['false', '1', 'TRUE']) {
        const problem = problemOf(await send(`x?end=${end}`, { body: 'x' }), 400, 'invalid-parameter')
        assert.equal(problem['parameter'], 'end')
      }
    })

    test('P11.1.2 P11.1.3 with an empty body the end needs no event, nor a channel that ever had one, and is there once', async () => {
      const [a, b] = [fresh(), fresh()]
      assert.deepEqual(await post(at(`${a},${b}?end`), ''), [])
      const page = await askPage(at(`${a},${b}`))
      assert.deepEqual([page.events, page.ended], [[], [a, b]])
      assert.deepEqual(await post(at(`${a}?end`), ''), [])
      problemOf(await send(`${a}?end`, { body: 'x' }), 409, 'channel-ended')
    })

    test('P11.2.1 P11.2.2 DELETE erases one channel, again and again, and knows when nobody knew it', async () => {
      const channel = fresh()
      problemOf(await erase(channel), 404, 'unknown-channel')
      await post(at(channel), 'x')
      for (let n = 0; n < 2; n++) {
        const got = await erase(channel)
        assert.deepEqual([got.status, got.text, got.headers['content-type']], [204, '', undefined])
      }
      assert.deepEqual((await askPage(at(channel))).events, [])
    })

    test('P11.2.1 what can’t be erased', async () => {
      assert.equal(problemOf(await erase('a,b'), 400, 'too-many-channels')['limit'], 1)
      problemOf(await erase('a.*'), 400, 'pattern-not-allowed')
      problemOf(await erase('$hub'), 403, 'reserved-channel')
      problemOf(await erase('a?end'), 400, 'unknown-parameter')
    })

    test('P11.2.3 no id is used twice', async () => {
      const channel = fresh()
      const [before] = await post(at(channel), 'x')
      await erase(channel)
      const [after] = await post(at(channel), 'x')
      assert.notEqual(after, before)
    })
  })
}
