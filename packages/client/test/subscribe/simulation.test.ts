/** `subscribe()` on simulated time and a simulated network: faults at random, and servers that would have it run in circles. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf } from '../../../../e2e/helpers/random.ts'
import { openSubscription } from '../../src/subscribe/subscription.ts'
import type { SubscribeOptions } from '../../src/subscribe/types.ts'
import { Network, WEATHERS } from './network.ts'
import { settled, World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const RUNS = Number(process.env['RUNS'] ?? 20)
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

async function oneRun(seed: number): Promise<{ readonly transports: ReadonlySet<string> }> {
  const world = new World(randomOf(seed))
  const network = new Network(world)
  const options: SubscribeOptions = {
    after: 'start',
    headers: async () => ({ authorization: 'x' }),
    queue: world.pick([1, 20, 1000]),
    whenHidden: world.pick(['stay', 'pause']),
  }
  const updates = openSubscription('https://hub.test/channels/a', options, world.environment(network.fetch))
  const seen: number[] = []
  const handled: string[] = []
  const transports = new Set<string>()
  let slow = 0
  updates.on('state', ({ transport }) => transports.add(transport))
  updates.on('event', async ({ id, data }) => {
    seen.push(Number(data))
    if (slow > 0) await new Promise<void>((resolve) => world.after(slow, resolve))
    handled.push(id)
  })
  for (let step = 0; step < 40; step++) {
    network.weather = world.chance(0.3) ? 'clear' : world.pick(WEATHERS)
    // A 401 twice in a row is final: it comes for a single request only.
    if (network.weather === 'unauthorized') network.weather = 'clear'
    slow = world.chance(0.1) ? world.int(1, 300) : 0
    const stay = world.int(1000, world.chance(0.2) ? 20 * MINUTE : MINUTE)
    const until = world.time + stay
    const every = world.pick([200, 2000, 20_000])
    while (world.time < until) {
      await world.run(world.int(1, every))
      for (let i = world.int(0, 2); i > 0; i--) network.publish()
      if (world.chance(0.05)) world.tell(world.pick(['online', 'visible', 'hidden', 'back']))
      if (world.chance(0.02)) {
        world.tell('away')
        await world.run(world.int(0, 2 * MINUTE))
        world.tell('back')
      }
    }
  }
  network.weather = 'clear'
  slow = 0
  world.tell('visible')
  await world.run(3 * HOUR)
  // It may be between two streams just now.
  for (let i = 0; i < 60 && updates.state.phase !== 'open'; i++) await world.run(1000)
  assert.equal(updates.state.phase, 'open', JSON.stringify(updates.state))
  assert.deepEqual(
    seen,
    Array.from(network.log, (_, index) => index + 1),
    'each event once, in order',
  )
  assert.equal(updates.state.transport, 'sse', 'in clear weather it comes back to streams')
  assert.equal(updates.cursor, handled.at(-1))
  updates.close()
  await updates.closed
  await settled()
  assert.deepEqual([world.timers, world.listeners.size, network.open], [0, 0, 0], 'nothing is left')
  return { transports }
}

test(`whatever the weather, each event comes once, and nothing is left (${RUNS} runs)`, async (t) => {
  const rejections: unknown[] = []
  const onRejection = (error: unknown): void => void rejections.push(error)
  process.on('unhandledRejection', onRejection)
  t.after(() => process.off('unhandledRejection', onRejection))
  const all = new Set<string>()
  for (let run = 0; run < RUNS; run++) {
    const seed = SEED + run
    try {
      for (const transport of (await oneRun(seed)).transports) all.add(transport)
    } catch (error) {
      t.diagnostic(`seed ${seed}: repeat it with SEED=${seed} RUNS=1`)
      throw error
    }
  }
  t.diagnostic(`seeds ${SEED} to ${SEED + RUNS - 1}`)
  assert.deepEqual(rejections, [])
  if (RUNS >= 20) assert.deepEqual([...all].sort(), ['long-poll', 'poll', 'sse'])
})

const text = (body: string, type = 'text/event-stream', status = 200): Response =>
  new Response(body, { status, headers: { 'content-type': type } })
const page = (members: object): Response =>
  text(JSON.stringify({ events: [], cursor: 'e-1', more: false, retry: 0, ...members }), 'application/json')

/** Each would like to be asked for ever, at once. */
const MEAN: Readonly<Record<string, (count: number, url: URL) => Response>> = {
  'streams that end at once': () => text('retry: 0\nevent: downlink:open\nid: e-1\ndata: {}\n\n'),
  'streams without anything': () => text(''),
  'ends that are no ends': () =>
    text('retry: 0\nevent: downlink:open\nid: e-1\ndata: {}\n\nevent: downlink:end\ndata: {}\n\n'),
  'a 503 that asks for no wait': () => text('', 'text/plain', 503),
  '401 and 200 in turn': (count) => (count % 2 ? text('retry: 0\ndata: x\n\n') : text('', 'text/plain', 401)),
  'pages that promise more': (_, url) =>
    url.searchParams.has('transport') ? page({ more: true }) : text('', 'text/plain', 502),
  'pages that always have an event': (count, url) => {
    if (!url.searchParams.has('transport')) return text('', 'text/plain', 502)
    const id = `e-${count}`
    return page({
      events: [{ id, channel: 'a', type: 'message', data: '', time: '' }],
      cursor: id,
      more: true,
    })
  },
  'long polls that do not wait': (_, url) =>
    url.searchParams.has('transport') ? page({}) : text('', 'text/plain', 502),
}

for (const [name, answer] of Object.entries(MEAN)) {
  test(`nothing has it run in circles: ${name}`, async () => {
    const world = new World(randomOf(SEED))
    let count = 0
    const environment = world.environment((url) => Promise.resolve(answer(count++, new URL(url))))
    const updates = openSubscription('https://hub.test/channels/a', { headers: () => ({}) }, environment)
    updates.on('event', () => {})
    for (let second = 0; second < 600; second++) {
      await world.run(1000)
      // All that could hurry it.
      for (const event of ['online', 'visible', 'away', 'back'] as const) world.tell(event)
    }
    updates.close()
    await settled()
    // 40 at once and ten a second are the bound that holds whatever happens.
    assert.ok(count <= 40 + 10 * 601, `${count} requests in ten minutes`)
    assert.equal(world.timers, 0)
  })
}

test('a probe that is due while nothing answers is made once', async () => {
  const world = new World(randomOf(SEED))
  let count = 0
  const environment = world.environment(() => {
    count++
    return Promise.reject(new TypeError('fetch failed'))
  })
  const until = world.time + MINUTE
  environment.storage('session')?.setItem('downlink:transport:https://hub.test', `long-poll ${until}`)
  const updates = openSubscription('https://hub.test/channels/a', {}, environment)
  await world.run(5 * MINUTE)
  assert.equal(updates.state.transport, 'long-poll')
  assert.ok(count < 60, `${count} requests in five minutes`)
  updates.close()
  await settled()
  assert.equal(world.timers, 0)
})
