/** Temporary refusals: for a bare EventSource, for a client that understands problems, and for everyone else. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, askPage, type Got, openStream, post, problemOf } from './client.ts'
import { type Face, fresh, type Running, shared, untilCounts } from './face.ts'

const BOTH = 'text/event-stream, application/problem+json'

/** Whatever the reason, an SSE read is refused so that its client comes back. */
async function refusesStreams(hub: Running, status: number, code: string): Promise<void> {
  const url = `${hub.url}/channels/${fresh()}`
  const bare = await ask(url, { headers: { accept: 'text/event-stream' } })
  assert.equal(bare.status, 200)
  assert.partialDeepStrictEqual(
    { ...bare.headers },
    {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    },
  )
  const retry = new RegExp(`^retry: (\\d+)\\n: ${code}: .{10,}\\n\\n$`).exec(bare.text)?.[1]
  assert.ok(Number(retry) >= 1000 && Number(retry) <= 10_000, bare.text)
  for (const query of ['', '?transport=sse'])
    refusesHonestly(await ask(url + query, { headers: { accept: BOTH } }), status, code)
}

function refusesHonestly(got: Got, status: number, code: string): void {
  problemOf(got, status, code)
  const seconds = Number(got.headers['retry-after'])
  assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 10, got.headers['retry-after'])
}

export function refusalFacts(face: Face): void {
  describe('a full hub', () => {
    const hub = shared(face, { limits: { readers: 1 } })
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P14.1.1 P14.2.1 P14.2.2 refuses another reader with overload, and has room when one leaves', async () => {
      {
        using reader = await openStream(at(fresh()))
        await reader.next()
        await refusesStreams(hub, 503, 'overload')
        refusesHonestly(await ask(at('x?wait=1')), 503, 'overload')
      }
      await untilCounts(hub, { readers: 0, waiting: 0 })
      using next = await openStream(at('x'))
      assert.equal((await next.next())?.type, 'downlink:open')
    })

    test('P14.1.1 a waiting long poll takes a place; polls, publishes and long polls that don’t wait take none', async () => {
      await untilCounts(hub, { readers: 0, waiting: 0 })
      const channel = fresh()
      const waiting = askPage(at(`${channel}?wait=60`))
      await untilCounts(hub, { readers: 0, waiting: 1 })
      await refusesStreams(hub, 503, 'overload')
      await askPage(at(channel))
      await askPage(at(`${channel}?wait=0`))
      await post(at(channel), 'x')
      assert.equal((await waiting).events.length, 1)
    })
  })

  describe('a hub that stops', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P14.1.1 P5.1.6 P6.6.4 answers long polls, ends streams, refuses new ones as draining, and goes on publishing and polling', async () => {
      const channel = fresh()
      using stream = await openStream(at(channel))
      await stream.next()
      const waiting = askPage(at(`${channel}?wait=60`))
      await untilCounts(hub, { readers: 1, waiting: 1 })
      await hub.command({ do: 'drain' })
      assert.deepEqual((await waiting).events, [])
      assert.equal(await stream.next(), undefined)
      await refusesStreams(hub, 503, 'draining')
      refusesHonestly(await ask(at(`${channel}?wait=60`)), 503, 'draining')
      const [id] = await post(at(channel), 'x')
      assert.equal((await askPage(at(channel))).events[0]?.id, id)
      const ready = await ask(`${hub.url}/readyz`)
      assert.equal(ready.status, 503)
      assert.match(ready.text, /^{"status":"unavailable","reason":".{5,}"}\n$/)
      assert.equal((await ask(`${hub.url}/healthz`)).status, 200)
    })
  })

  describe('a log that is away', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P14.1.1 P14.1.2 every request is refused with log-unavailable until it is back', async () => {
      const channel = fresh()
      await post(at(channel), 'x')
      await hub.command({ do: 'mood', mood: 'away' })
      await refusesStreams(hub, 503, 'log-unavailable')
      for (const got of [
        await ask(at(channel)),
        await ask(at(`${channel}?wait=1`)),
        await ask(at(channel), { method: 'POST', body: 'x' }),
        await ask(at(channel), { method: 'DELETE' }),
        await ask(`${hub.url}/channels`),
      ])
        refusesHonestly(got, 503, 'log-unavailable')
      assert.equal((await ask(`${hub.url}/readyz`)).status, 503)
      await hub.command({ do: 'mood', mood: 'well' })
      assert.equal((await askPage(at(channel))).events.length, 1)
    })

    test('P14.1.1 P13.2.1 a fault is internal: nothing of its inside is told, and the operator is', async () => {
      const channel = fresh()
      await hub.command({ do: 'reports' })
      await hub.command({ do: 'mood', mood: 'broken' })
      await refusesStreams(hub, 500, 'internal')
      const got = await ask(at(channel))
      refusesHonestly(got, 500, 'internal')
      assert.doesNotMatch(got.text, /secret/)
      await hub.command({ do: 'mood', mood: 'well' })
      const reports = (await hub.command({ do: 'reports' })) as string[]
      assert.equal(reports.length, 4)
      assert.ok(reports.every((report) => report.includes('the secret inside of the log')))
    })

    test('P14.2.3 a lasting refusal keeps its status on SSE too', async () => {
      for (const [path, status, code] of [
        ['/channels/a..b', 400, 'invalid-channel'],
        ['/channels/x?after=garbage', 400, 'invalid-cursor'],
        ['/nowhere', 404, 'not-found'],
      ] as const)
        problemOf(await ask(hub.url + path, { headers: { accept: 'text/event-stream' } }), status, code)
    })
  })
}
