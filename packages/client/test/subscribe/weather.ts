/** `subscribe()` in random weather, from one seed: each event once and in order, and nothing is left. Runs in a thread. */
import assert from 'node:assert/strict'
import { randomOf } from '../../../../e2e/helpers/random.ts'
import { openSubscription } from '../../src/subscribe/subscription.ts'
import type { SubscribeOptions } from '../../src/subscribe/types.ts'
import { Network, WEATHERS } from './network.ts'
import { settled, World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** @returns the transports that were met */
export default async function weatherRuns({ seed, runs }: { seed: number; runs: number }): Promise<string[]> {
  const rejections: unknown[] = []
  process.on('unhandledRejection', (error) => rejections.push(error))
  const all = new Set<string>()
  for (let run = seed; run < seed + runs; run++) {
    const { transports } = await oneRun(run).catch((error: unknown) => {
      throw new Error(`It went wrong: repeat it with SEED=${run} RUNS=1`, { cause: error })
    })
    for (const transport of transports) all.add(transport)
  }
  assert.deepEqual(rejections, [])
  return [...all].toSorted()
}

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
