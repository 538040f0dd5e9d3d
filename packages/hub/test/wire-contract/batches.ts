/** Batches of NDJSON, and idempotency keys. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Ask, ask, askPage, type Got, post, problemOf } from './client.ts'
import { type Face, fresh, shared } from './face.ts'
import { token } from './rules.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }

export function batchFacts(face: Face): void {
  describe('batches', () => {
    const hub = shared(face, { limits: { batch: 10 } })
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const send = (path: string, body: string): Promise<Got> =>
      ask(at(path), { method: 'POST', headers: ndjson, body })

    test('P9.3.1 P9.3.2 a line is an event; what is no string is stored as its JSON; ?type= is for lines without one', async () => {
      const channel = fresh()
      const body = [
        '{"data":"one"}',
        '',
        '  {"type":"own","data":{"total":2,"b":[1.50]}}\r',
        '{"data":null}',
        '\t',
        '{"data":false,"type":"message"}',
        '{"data":"last"}',
      ]
      const ids = await post(at(`${channel}?type=given`), body.join('\n'), {
        'content-type': 'Application/X-NDJSON; charset=utf-8',
      })
      const { events } = await askPage(at(channel))
      assert.deepEqual(
        events.map(({ id }) => id),
        ids,
      )
      assert.deepEqual(
        events.map(({ type, data }) => [type, data]),
        [
          ['given', 'one'],
          ['own', '{"total":2,"b":[1.5]}'],
          ['given', 'null'],
          ['message', 'false'],
          ['given', 'last'],
        ],
      )
    })

    test('P9.1.3 the ids are line by line, in each in the order of the path', async () => {
      const [a, b] = [fresh('z'), fresh('a')]
      const ids = await post(at(`${a},${b}`), '{"data":1}\n{"data":2}\n', ndjson)
      const { events } = await askPage(at(`${a},${b}`))
      assert.deepEqual(
        events.map(({ id, channel, data }) => [id, channel, data]),
        [
          [ids[0], a, '1'],
          [ids[1], b, '1'],
          [ids[2], a, '2'],
          [ids[3], b, '2'],
        ],
      )
    })

    const wrong: readonly [string, string, string][] = [
      ['no JSON', '{"data":', 'invalid-ndjson'],
      ['no object', '["data"]', 'invalid-ndjson'],
      ['null', 'null', 'invalid-ndjson'],
      ['another member', '{"data":"x","id":"1"}', 'invalid-ndjson'],
      ['no data', '{"type":"x"}', 'invalid-ndjson'],
      ['a type that is a number', '{"type":1,"data":"x"}', 'invalid-ndjson'],
      ['a type that is null', '{"type":null,"data":"x"}', 'invalid-ndjson'],
      ['a __proto__', '{"__proto__":{"data":"x"}}', 'invalid-ndjson'],
      ['two objects', '{"data":1}{"data":2}', 'invalid-ndjson'],
      ['an empty type', '{"type":"","data":"x"}', 'invalid-type'],
      ['a forged type', '{"type":"downlink:end","data":"x"}', 'invalid-type'],
      ['a type with LF', '{"type":"a\\nb","data":"x"}', 'invalid-type'],
    ]
    for (const [what, line, code] of wrong) {
      test(`P9.3.3 a line with ${what} is ${code} with its number, and nothing is stored`, async () => {
        const channel = fresh()
        const got = await send(channel, `{"data":"good"}\n\n${line}\n{"data":"good"}\n`)
        assert.equal(problemOf(got, 400, code)['line'], 3)
        assert.deepEqual((await askPage(at(channel))).events, [])
      })
    }

    test('P9.3.1 events are lines times channels, and have a limit', async () => {
      const line = '{"data":1}\n'
      assert.equal((await post(at(fresh()), line.repeat(10), ndjson)).length, 10)
      for (const [path, lines] of [
        [fresh(), 11],
        [`${fresh()},${fresh()}`, 6],
      ] as const)
        assert.equal(problemOf(await send(path, line.repeat(lines)), 413, 'batch-too-large')['limit'], 10)
    })

    test('P9.3.4 P11.1.2 a batch without events is refused, but for an end', async () => {
      const channel = fresh()
      problemOf(await send(channel, '\n \n'), 400, 'empty-batch')
      problemOf(await send(channel, ''), 400, 'empty-batch')
      assert.equal((await post(at(`${channel}?end`), '{"data":""}', ndjson)).length, 1)
      assert.deepEqual(await post(at(`${fresh()}?end`), '\n', ndjson), [])
    })
  })

  describe('idempotency', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const send = (path: string, key: string, body: string, what: Ask = {}): Promise<Got> =>
      ask(at(path), { method: 'POST', body, ...what, headers: { 'idempotency-key': key, ...what.headers } })

    test('P10.1.4 the same again stores nothing, and is answered as the first was', async () => {
      const channel = fresh()
      const first = await send(`${channel}?type=t`, 'key-1', 'x')
      assert.equal(first.headers['idempotent-replayed'], undefined)
      const again = await send(`${channel}?type=t`, 'key-1', 'x')
      assert.deepEqual(
        [again.status, again.text, again.headers['idempotent-replayed']],
        [200, first.text, 'true'],
      )
      assert.equal((await askPage(at(channel))).events.length, 1)
    })

    test('P10.1.3 the same key for something else is 422', async () => {
      const channel = fresh()
      await send(channel, 'key', 'x')
      problemOf(await send(channel, 'key', 'y'), 422, 'idempotency-mismatch')
      problemOf(await send(`${channel}?type=t`, 'key', 'x'), 422, 'idempotency-mismatch')
      problemOf(await send(`${channel}?end`, 'key', 'x'), 422, 'idempotency-mismatch')
      assert.equal((await askPage(at(channel))).events.length, 1)
    })

    test('P10.1.2 a key is for one path', async () => {
      const [a, b] = [fresh(), fresh()]
      await send(a, 'key', 'x')
      assert.equal((await send(b, 'key', 'y')).headers['idempotent-replayed'], undefined)
      assert.equal((await askPage(at(b))).events[0]?.data, 'y')
    })

    test('P10.1.4 P9.1.4 a retry whose key is known is answered although the channel has ended', async () => {
      const channel = fresh()
      const first = await send(`${channel}?end`, 'key', 'last')
      const again = await send(`${channel}?end`, 'key', 'last')
      assert.deepEqual([again.status, again.text], [200, first.text])
      problemOf(await send(`${channel}?end`, 'other', 'last'), 409, 'channel-ended')
    })

    test('P10.1.5 while the first is running, a repetition is 409', async () => {
      const channel = fresh()
      await hub.command({ do: 'hold' })
      const held = hub.command({ do: 'held' })
      const first = send(channel, 'key', 'x')
      await held
      problemOf(await send(channel, 'key', 'x'), 409, 'idempotency-running')
      await hub.command({ do: 'release' })
      assert.equal((await first).status, 200)
      assert.equal((await send(channel, 'key', 'x')).headers['idempotent-replayed'], 'true')
    })

    test('P10.1.6 a publish that was refused does not use its key up', async () => {
      const channel = fresh()
      await hub.command({ do: 'mood', mood: 'away' })
      problemOf(await send(channel, 'key', 'x'), 503, 'log-unavailable')
      await hub.command({ do: 'mood', mood: 'well' })
      const got = await send(channel, 'key', 'y')
      assert.deepEqual([got.status, got.headers['idempotent-replayed']], [200, undefined])
    })

    test('P10.1.1 a key is 1 to 255 visible ASCII characters', async () => {
      assert.equal((await send(fresh(), '!'.repeat(255), 'x')).status, 200)
      for (const wrong of ['!'.repeat(256), 'a b', 'a\tb', 'é']) {
        const problem = problemOf(await send('x', wrong, 'x'), 400, 'invalid-header')
        assert.equal(problem['parameter'], 'Idempotency-Key')
      }
    })
  })

  describe('idempotency with rules', () => {
    const hub = shared(face, { rules: true })

    test('P10.1.2 keys of different subjects don’t meet', async () => {
      const url = `${hub.url}/channels/${fresh()}`
      const send = (subject: string, body: string): Promise<Got> =>
        ask(url, {
          method: 'POST',
          body,
          headers: { 'idempotency-key': 'key', authorization: token(subject, ['publish']) },
        })
      assert.equal((await send('alice', 'a')).headers['idempotent-replayed'], undefined)
      assert.equal((await send('bob', 'b')).headers['idempotent-replayed'], undefined)
      assert.equal((await send('alice', 'a')).headers['idempotent-replayed'], 'true')
      problemOf(await send('bob', 'a'), 422, 'idempotency-mismatch')
    })
  })
}
