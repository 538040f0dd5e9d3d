/** `subscribe()` on simulated time and a simulated network: faults at random, and servers that would have it run in circles. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf } from '../../../../e2e/helpers/random.ts'
import { inThread } from '../../../../e2e/helpers/thread.ts'
import { openSubscription } from '../../src/subscribe/subscription.ts'
import { mean } from './mean-servers.ts'
import { settled, World } from './world.ts'

const MINUTE = 60_000
const RUNS = Number(process.env['RUNS'] ?? 20)
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test(`whatever the weather, each event comes once, and nothing is left (${RUNS} runs)`, async (t) => {
  t.diagnostic(`seeds ${SEED} to ${SEED + RUNS - 1}`)
  const weather = new URL('weather.ts', import.meta.url)
  const transports = await inThread<string[]>(weather, { seed: SEED, runs: RUNS })
  if (RUNS >= 20) assert.deepEqual(transports, ['long-poll', 'poll', 'sse'])
})

for (const name of mean) {
  test(`nothing has it run in circles: ${name}`, async () => {
    const count = await inThread<number>(new URL('mean-servers.ts', import.meta.url), { name, seed: SEED })
    // 40 at once and ten a second are the bound that holds whatever happens.
    assert.ok(count <= 40 + 10 * 601, `${count} requests in ten minutes`)
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
