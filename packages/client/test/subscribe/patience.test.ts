/** When it does not read on: because nobody has taken what came; and when it does not give up yet: because it may be on its way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf } from '../../../../e2e/helpers/random.ts'
import { openSubscription } from '../../src/subscribe/subscription.ts'
import type { SubscribeOptions, Subscription } from '../../src/subscribe/types.ts'
import { World } from './world.ts'

const encoder = new TextEncoder()
const OPENING = 'event: downlink:open\nid: e-0\ndata: {"heartbeat":15000}\n\n'

interface Scene {
  readonly world: World
  readonly updates: Subscription
  readonly seen: string[]
}

/** A subscription of which each event takes as long as `handled` does. */
function begin(
  fetch: (world: World, url: URL) => Promise<Response>,
  options: SubscribeOptions = {},
  handled: (world: World) => unknown = () => {},
): Scene {
  const world = new World(randomOf(1))
  const environment = world.environment((url) => fetch(world, new URL(url)))
  const updates = openSubscription('https://hub.test/channels/a', { after: 'start', ...options }, environment)
  const seen: string[] = []
  updates.on('event', ({ data }) => {
    seen.push(data)
    return handled(world)
  })
  return { world, updates, seen }
}

function later<T>(world: World, ms: number, make: () => T): Promise<T> {
  return new Promise((resolve) => world.after(ms, () => resolve(make())))
}

async function finish({ world, updates }: Scene): Promise<void> {
  updates.close()
  // What the scene itself had in mind.
  await world.run(10_000)
  assert.equal(world.timers, 0)
}

function streamOf(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

function pageOf(positions: readonly number[], cursor: number, more = false): Response {
  const events = positions.map((at) => ({ id: `e-${at}`, channel: 'a', type: 'message', data: `${at}` }))
  return Response.json({ events, cursor: `e-${cursor}`, more, retry: 3000 })
}

// Back-pressure

test('a stream is read no further than its queue has room, and on when it has again', async () => {
  let pulled = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const at = pulled++
        if (at > 1000) controller.error(new Error('read without end'))
        else controller.enqueue(encoder.encode(at ? `id: e-${at}\ndata: ${at}\n\n` : OPENING))
      },
    },
    { highWaterMark: 0 },
  )
  const scene = begin(
    async () => streamOf(body),
    { queue: 10, transport: 'sse' },
    (world) => later(world, 1000, () => {}),
  )
  await scene.world.run(900)
  assert.equal(scene.seen.length, 1)
  assert.ok(pulled <= 13, `${pulled} chunks read`)
  await scene.world.run(60_000)
  assert.deepEqual(
    scene.seen,
    scene.seen.map((_, index) => `${index + 1}`),
  )
  assert.ok(scene.seen.length >= 60, `${scene.seen.length} events handled`)
  assert.ok(pulled - scene.seen.length <= 13, `${pulled} chunks read`)
  await finish(scene)
})

for (const transport of ['long-poll', 'poll'] as const) {
  test(`no page is asked for before the queue has room: ${transport}`, async () => {
    let asked = 0
    const scene = begin(
      async (_, url) => {
        asked++
        const from = Number(url.searchParams.get('after')?.slice(2) ?? 0) || 0
        return pageOf([from + 1, from + 2, from + 3, from + 4, from + 5], from + 5, true)
      },
      { queue: 10, transport },
      (world) => later(world, 1000, () => {}),
    )
    await scene.world.run(900)
    assert.ok(asked <= 3, `${asked} pages asked for`)
    await scene.world.run(60_000)
    assert.ok(scene.seen.length >= 60)
    assert.ok(asked * 5 - scene.seen.length <= 16, `${asked} pages asked for`)
    await finish(scene)
  })
}

// The grace of a check

interface Way {
  /** Milliseconds from the request to the stream's opening, and to its first event. */
  readonly openMs: number
  readonly eventMs?: number
  /** How long a poll takes. */
  readonly pollMs: number
}

/** A stream that says something only now and then, and polls that are always answered. */
function slowWay({ openMs, eventMs, pollMs }: Way): Scene {
  return begin(async (world, url) => {
    if (url.searchParams.has('transport')) return later(world, pollMs, () => pageOf([1], 1))
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const say = (text: string) => (): void => {
          try {
            controller.enqueue(encoder.encode(text))
          } catch {
            // Nobody reads it any more.
          }
        }
        world.after(openMs, say(OPENING))
        if (eventMs !== undefined) world.after(eventMs, say('id: e-1\ndata: 1\n\n'))
      },
    })
    return streamOf(body)
  })
}

for (const [what, way, transport] of [
  ['its opening a moment after the answer of a poll', { openMs: 1900, pollMs: 50 }, 'sse'],
  ['its opening too long after it', { openMs: 2300, pollMs: 50 }, 'long-poll'],
  ['its opening within twice the time that the poll took', { openMs: 5000, pollMs: 1300 }, 'sse'],
  ['its opening later than that', { openMs: 5800, pollMs: 1300 }, 'long-poll'],
  // 1.5 heartbeats of silence are looked into.
  ['what a poll has brought a moment after it', { openMs: 0, eventMs: 22_900, pollMs: 50 }, 'sse'],
  ['what a poll has brought too long after it', { openMs: 0, eventMs: 23_400, pollMs: 50 }, 'long-poll'],
] as const satisfies readonly (readonly [string, Way, string])[]) {
  test(`a stream that tells ${what} is ${transport === 'sse' ? 'kept' : 'given up'}`, async () => {
    const scene = slowWay(way)
    await scene.world.run(('eventMs' in way ? way.eventMs : way.openMs) + 1000)
    assert.equal(scene.updates.state.transport, transport)
    await finish(scene)
  })
}

test('who has never had anything yet comes back sooner', async () => {
  const waits = async (opened: boolean): Promise<readonly number[]> => {
    let count = 0
    const found: number[] = []
    const scene = begin(
      async (): Promise<Response> => {
        if (!opened || count++ > 0) throw new TypeError('fetch failed')
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(encoder.encode(OPENING))
            controller.close()
          },
        })
        return streamOf(body)
      },
      { transport: 'sse' },
    )
    scene.updates.on('state', ({ phase, retryAt = 0 }) => {
      if (phase === 'waiting') found.push(retryAt - scene.world.time)
    })
    await scene.world.run(120_000)
    await finish(scene)
    return found.slice(0, 3)
  }
  // The same chance for both.
  for (const [index, wait] of (await waits(false)).entries())
    assert.ok(wait <= 3000 * 2 ** index, `${wait} ms`)
  const later = await waits(true)
  assert.ok(later.some((wait, index) => wait > 3000 * 2 ** index))
})
