import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createHub } from '@downlink/hub'
import { serveHub } from '@downlink/hub/node'
import { type Post, Publisher } from '../src/model/publisher.ts'

const event = { path: 'channels/a', type: 'paid', data: '1' }

/** @param answers One for each request; an error is a connection that broke. */
function publisherOn(...answers: readonly (Response | Error)[]): {
  readonly publisher: Publisher
  readonly keys: string[]
  readonly waited: number[]
} {
  const keys: string[] = []
  const waited: number[] = []
  const left = [...answers]
  let made = 0
  const publisher = new Publisher(
    async (_, __, key) => {
      keys.push(key)
      const answer = left.shift() ?? assert.fail('asked too often')
      if (answer instanceof Error) throw answer
      return answer
    },
    () => `key-${++made}`,
    async (ms) => void waited.push(ms),
  )
  return { publisher, keys, waited }
}

const stored = (): Response => Response.json({ ids: ['e-1'] })
const problem = (status: number, code: string): Response =>
  Response.json({ code, detail: `Because of ${code}` }, { status })
const broken = new TypeError('fetch failed')

describe('a publish', () => {
  test('is told its id, and the next has another key', async () => {
    const { publisher, keys } = publisherOn(stored(), stored())
    assert.deepEqual(await publisher.publish(event), { kind: 'published', id: 'e-1', repeated: false })
    await publisher.publish(event)
    assert.deepEqual(keys, ['key-1', 'key-2'])
  })

  test('that was not answered is tried again by itself, with the same key', async () => {
    const { publisher, keys, waited } = publisherOn(broken, problem(409, 'idempotency-running'), stored())
    assert.equal((await publisher.publish(event)).kind, 'published')
    assert.deepEqual(
      [keys, waited],
      [
        ['key-1', 'key-1', 'key-1'],
        [500, 1_500],
      ],
    )
  })

  test('that nobody answers is unsure, and keeps its key until it is known', async () => {
    const { publisher, keys } = publisherOn(broken, broken, broken, stored())
    assert.deepEqual(await publisher.publish(event), { kind: 'unsure' })
    assert.equal((await publisher.publish(event)).kind, 'published')
    assert.deepEqual(new Set(keys), new Set(['key-1']))
  })

  test('of something else has another key', async () => {
    const { publisher, keys } = publisherOn(broken, broken, broken, stored())
    await publisher.publish(event)
    await publisher.publish({ ...event, data: '2' })
    assert.equal(keys.at(-1), 'key-2')
  })

  test('that is refused is told in the hub’s words, once', async () => {
    for (const [status, code] of [
      [403, 'forbidden'],
      [409, 'channel-ended'],
      [503, 'log-full'],
    ] as const) {
      const { publisher, keys } = publisherOn(problem(status, code))
      assert.deepEqual(await publisher.publish(event), {
        kind: 'refused',
        status,
        detail: `Because of ${code}`,
      })
      assert.equal(keys.length, 1)
    }
  })

  test('whose answer got lost is stored once by a real hub', async (t) => {
    const hub = createHub()
    const server = await serveHub(hub, { host: '127.0.0.1' })
    t.after(async () => {
      await server.stop()
      await hub.close()
    })
    let lost = 0
    const post: Post = async (path, body, key) => {
      const response = await fetch(`${server.url}/${path}`, {
        method: 'POST',
        body,
        headers: { 'idempotency-key': key },
      })
      if (lost++ === 0) throw broken
      return response
    }
    const publisher = new Publisher(
      post,
      () => 'once',
      async () => {},
    )
    const outcome = await publisher.publish(event)
    const { events } = await hub.read('a')
    assert.deepEqual(outcome, { kind: 'published', id: events[0]?.id, repeated: true })
    assert.equal(events.length, 1)
  })
})
