/** Tabs that share one connection, on simulated time: what happens to the leader, and faults at random. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { randomOf } from '../../../../e2e/helpers/random.ts'
import type { SubscribeOptions, Subscription } from '../../src/subscribe/types.ts'
import { Network, type Weather } from '../subscribe/network.ts'
import { settled, World } from '../subscribe/world.ts'
import { Browser, type Tab } from './tabs.ts'

const RUNS = Number(process.env['RUNS'] ?? 5)
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

function start(seed = SEED): Browser {
  const world = new World(randomOf(seed))
  return new Browser(world, new Network(world))
}

interface Follower {
  readonly tab: Tab
  readonly channels: string
  readonly seen: number[]
  readonly updates: Subscription
}

function follow(tab: Tab, channels = 'a', options: SubscribeOptions = {}): Follower {
  const seen: number[] = []
  const updates = tab.subscribe(channels, { after: 'start', ...options })
  updates.on('event', ({ data }) => void seen.push(Number(data)))
  return { tab, channels, seen, updates }
}

/** All that was published to these channels so far. */
function published({ network }: Browser, channels = 'a'): number[] {
  return network.log.flatMap(({ channel }, index) =>
    channels.split(',').includes(channel) ? [index + 1] : [],
  )
}

async function publish({ world, network }: Browser, count: number, every = 100): Promise<void> {
  for (let i = 0; i < count; i++) {
    network.publish()
    await world.run(every)
  }
}

async function closeAll(browser: Browser, followers: readonly Follower[]): Promise<void> {
  for (const { updates, tab } of followers) if (!tab.gone) updates.close()
  await settled()
  // What was posted and asked is still on its way.
  await browser.world.run(100)
  const { world, network, held, waiting, channels } = browser
  const listeners = followers.reduce((sum, { tab }) => sum + (tab.gone ? 0 : tab.listeners.size), 0)
  assert.deepEqual(
    [world.timers, network.open, held.size, waiting.length, channels.size, listeners],
    [0, 0, 0, 0, 0, 0],
    'nothing is left',
  )
}

function leaderOf({ held }: Browser): string | undefined {
  return [...held].find(({ name }) => !name.endsWith(':takeover'))?.clientId
}

test('seven tabs have one connection, and each has every event once', async () => {
  const browser = start()
  const tabs = Array.from({ length: 7 }, () => follow(browser.open()))
  await publish(browser, 50)
  assert.equal(browser.network.streams, 1)
  assert.equal(browser.network.open, 1)
  for (const { seen, updates } of tabs) {
    assert.deepEqual(seen, published(browser))
    assert.equal(updates.state.phase, 'open')
  }
  await closeAll(browser, tabs)
})

const ENDS: Readonly<Record<string, (tab: Tab, follower: Follower) => void>> = {
  closes: (_, { updates }) => updates.close(),
  crashes: (tab) => tab.crash(),
  'goes into the back/forward cache': (tab) => tab.tell('away'),
  'is busy for long': (tab) => tab.freeze(),
}

for (const [what, end] of Object.entries(ENDS)) {
  test(`the leader ${what}: another takes over, and each has every event once`, async () => {
    const browser = start()
    const tabs = Array.from({ length: 7 }, () => follow(browser.open()))
    await publish(browser, 20)
    const former = leaderOf(browser)
    const leader = tabs.find(({ tab }) => tab.name === former) as Follower
    const others = tabs.filter((tab) => tab !== leader)
    end(leader.tab, leader)
    await publish(browser, 120)
    assert.ok(leaderOf(browser) !== former)
    assert.equal(browser.thefts, what === 'is busy for long' ? 1 : 0)
    for (const { seen } of others) assert.deepEqual(seen, published(browser))
    leader.tab.thaw()
    leader.tab.tell('back')
    await publish(browser, 20)
    assert.equal(browser.network.streams, 1)
    if (!leader.tab.gone && what !== 'closes') assert.deepEqual(leader.seen, published(browser))
    await closeAll(browser, tabs)
  })
}

test('a leader that was robbed while it was busy tells nothing more of what has piled up', async () => {
  const browser = start()
  const tabs = Array.from({ length: 3 }, () => follow(browser.open()))
  await publish(browser, 5)
  const leader = tabs.find(({ tab }) => tab.name === leaderOf(browser)) as Follower
  leader.tab.freeze()
  await publish(browser, 100)
  const before = browser.told.get(leader.tab.name)
  assert.ok(before)
  leader.tab.thaw()
  await settled()
  assert.equal(browser.told.get(leader.tab.name), before)
  await publish(browser, 1)
  for (const { seen } of tabs) assert.deepEqual(seen, published(browser))
  await closeAll(browser, tabs)
})

test('tabs of different channels are on one connection, and each is given its own', async () => {
  const browser = start()
  const { world, network } = browser
  const tabs = ['a', 'b', 'a,c', 'c,b', 'd'].map((channels) => follow(browser.open(), channels))
  for (let i = 0; i < 100; i++) {
    network.publish(world.pick(['a', 'b', 'c', 'd', 'e']))
    await world.run(50)
    if (i === 50) tabs.push(follow(browser.open(), 'e'))
  }
  await world.run(1000)
  assert.equal(network.streams, 1)
  for (const { seen, channels } of tabs) assert.deepEqual(seen, published(browser, channels))
  await closeAll(browser, tabs)
})

test('what nobody reads any more leaves the connection', async () => {
  const browser = start()
  const { world, network } = browser
  const tabs = ['a', 'b', 'c'].map((channels) => follow(browser.open(), channels))
  await world.run(1000)
  assert.deepEqual(network.reads.at(-1)?.toSorted(), ['a', 'b', 'c'])
  tabs[1]?.updates.close()
  tabs[2]?.tab.crash()
  await world.run(700_000)
  assert.deepEqual(network.reads.at(-1), ['a'])
  await closeAll(browser, tabs)
})

test('different users have different connections', async () => {
  const browser = start()
  const one = browser.open()
  const tabs = [follow(one), follow(browser.open(), 'a', { share: browser.open().share('another') })]
  await publish(browser, 5)
  assert.equal(browser.network.streams, 2)
  for (const { seen } of tabs) assert.deepEqual(seen, published(browser))
  await closeAll(browser, tabs)
})

test('without locks each tab has its own connection, and nothing is told to others', async () => {
  const browser = start()
  browser.secure = false
  const tabs = Array.from({ length: 3 }, () => follow(browser.open()))
  await publish(browser, 5)
  assert.equal(browser.network.streams, 3)
  assert.equal(browser.channels.size, 0)
  for (const { seen } of tabs) assert.deepEqual(seen, published(browser))
  await closeAll(browser, tabs)
})

test('more than 64 channels do not fit: who comes late has a connection of its own', async () => {
  const browser = start()
  const many = Array.from({ length: 60 }, (_, index) => `c${index}`).join(',')
  const tabs = [follow(browser.open(), many)]
  await browser.world.run(100)
  tabs.push(follow(browser.open(), 'a,a1,a2,a3,a4,a5'))
  for (let i = 0; i < 40; i++) {
    browser.network.publish(browser.world.pick(['c1', 'a']))
    await browser.world.run(1000)
  }
  await browser.world.run(5000)
  assert.equal(browser.network.streams, 1)
  assert.equal(tabs[1]?.updates.state.transport, 'long-poll')
  for (const { seen, channels } of tabs) assert.deepEqual(seen, published(browser, channels))
  await closeAll(browser, tabs)
})

test('who has a connection of its own for want of room shares again when that breaks and there is room', async () => {
  const browser = start()
  const { world, network } = browser
  const many = Array.from({ length: 60 }, (_, index) => `c${index}`).join(',')
  const tabs = [follow(browser.open(), many)]
  await world.run(1000)
  tabs.push(follow(browser.open(), 'a,a1,a2,a3,a4,a5'), follow(browser.open(), 'c1'))
  await world.run(10_000)
  assert.equal(tabs[1]?.updates.state.transport, 'long-poll')
  tabs[0]?.tab.crash()
  network.weather = 'down'
  await world.run(700_000)
  network.weather = 'clear'
  await world.run(60_000)
  network.publish('a')
  await world.run(1000)
  assert.deepEqual([network.streams, network.open], [1, 1])
  assert.deepEqual(tabs[1]?.seen, published(browser, 'a'))
  await closeAll(browser, tabs)
})

test('a tab that its leader has forgotten while it was busy is read for again', async () => {
  const browser = start()
  const { world, network } = browser
  const tabs = ['a', 'b'].map((channels) => follow(browser.open(), channels))
  await world.run(1000)
  tabs[1]?.tab.freeze()
  // Longer than two roll calls are apart.
  await world.run(700_000)
  assert.deepEqual(network.reads.at(-1), ['a'])
  network.publish('b')
  tabs[1]?.tab.thaw()
  await world.run(5000)
  assert.equal(network.streams, 1)
  assert.equal(network.open, 1)
  assert.deepEqual(tabs[1]?.seen, published(browser, 'b'))
  await closeAll(browser, tabs)
})

test('a sign-in page that answers in place of the hub for a while leaves nobody with a connection of its own', async () => {
  const browser = start()
  const { world, network } = browser
  let portal = false
  const signIn = (): Response => new Response('<form>', { headers: { 'content-type': 'text/html' } })
  const fetch: SubscribeOptions['fetch'] = async (url, init) => (portal ? signIn() : network.fetch(url, init))
  const tabs = [follow(browser.open()), follow(browser.open(), 'a', { fetch })]
  await publish(browser, 5)
  tabs[1]?.tab.tell('away')
  portal = true
  tabs[1]?.tab.tell('back')
  await world.run(1000)
  portal = false
  await publish(browser, 500)
  assert.equal(network.open, 1)
  assert.deepEqual(tabs[1]?.seen, published(browser))
  await closeAll(browser, tabs)
})

test('a tab whose listener is slow reads on by itself, and keeps nobody waiting', async () => {
  const browser = start()
  const { world } = browser
  const quick = follow(browser.open())
  const slow = follow(browser.open(), 'a', { queue: 10 })
  slow.updates.on('event', () => new Promise<void>((resolve) => world.after(1000, resolve)))
  await publish(browser, 200)
  assert.deepEqual(quick.seen, published(browser))
  assert.ok(slow.seen.length < 40)
  await world.run(300_000)
  assert.deepEqual(slow.seen, published(browser))
  await closeAll(browser, [quick, slow])
})

test('a refusal of what is read together closes only the tab that is refused', async () => {
  const browser = start()
  const { network, world } = browser
  const tabs = ['a', 'b'].map((channels) => follow(browser.open(), channels))
  await publish(browser, 5)
  network.forbidden.add('b')
  // Until the stream ends, as streams do.
  await publish(browser, 100, 20_000)
  assert.equal(tabs[1]?.updates.state.error?.status, 403)
  assert.deepEqual(tabs[0]?.seen, published(browser))
  await world.run(1000)
  await closeAll(browser, tabs)
})

const FAULTS: readonly Weather[] = [
  'down',
  'hang',
  'bad gateway',
  'draining',
  'goes silent',
  'cuts',
  'ends',
  'slow',
  'trickles',
  'no streams',
  'truncates',
]

async function oneRun(seed: number): Promise<void> {
  const browser = start(seed)
  const { world, network } = browser
  const channels = ['a', 'b', 'a,b', 'a,c', 'c']
  const everybody: Follower[] = []
  let alive: Follower[] = []
  const add = (): void => {
    const follower = follow(browser.open(), world.pick(channels), { queue: world.pick([5, 1000]) })
    everybody.push(follower)
    alive.push(follower)
  }
  const check = (follower: Follower, whole: boolean): void => {
    const expected = published(browser, follower.channels)
    const { seen, tab } = follower
    assert.deepEqual(
      seen,
      whole ? expected : expected.slice(0, seen.length),
      `${tab.name}: each event once, in order`,
    )
  }
  for (let i = world.int(1, 4); i > 0; i--) add()
  for (let step = 0; step < 60; step++) {
    if (world.chance(0.2)) network.weather = world.chance(0.5) ? 'clear' : world.pick(FAULTS)
    const follower = world.pick(alive)
    const { tab, updates } = follower
    const leads = tab.name === leaderOf(browser)
    // What happens to leaders is worth more.
    if (leads || world.chance(0.3)) {
      const what = world.int(0, 7)
      if (what === 0) {
        if (alive.length < 7) add()
      } else if (what < 3) {
        if (alive.length === 1) continue
        if (what === 1) updates.close()
        else tab.crash()
        alive = alive.filter((one) => one !== follower)
      } else if (what === 3 && !tab.frozen) tab.freeze()
      else if (what === 4) tab.tell('away')
      else if (what === 5) {
        tab.tell('away')
        tab.freeze()
      } else tab.tell(world.pick(['visible', 'hidden', 'online']))
    }
    for (const { tab: other } of alive) {
      if (!world.chance(0.2)) continue
      if (other.frozen) other.thaw()
      other.tell('back')
    }
    const until = world.time + world.int(10, world.chance(0.3) ? 60_000 : 3000)
    while (world.time < until) {
      await world.run(world.int(1, 500))
      for (let i = world.int(0, 2); i > 0; i--) network.publish(world.pick(['a', 'b', 'c']))
    }
    for (const one of alive) check(one, false)
  }
  network.weather = 'clear'
  for (const { tab } of alive) {
    tab.thaw()
    tab.tell('back')
  }
  // A better transport is tried again after an hour at most.
  for (let minute = 0; minute < 200 && !(minute > 3 && network.open === 1 && network.streams === 1); minute++)
    await world.run(60_000)
  assert.equal(network.streams, 1, 'one connection')
  assert.equal(network.open, 1, 'nobody reads alone')
  for (const one of alive) check(one, true)
  for (const one of everybody) check(one, false)
  await closeAll(browser, everybody)
}

test(`whatever happens to tabs and network, each tab has each event once (${RUNS} runs)`, async (t: TestContext) => {
  const rejections: unknown[] = []
  const onRejection = (error: unknown): void => void rejections.push(error)
  process.on('unhandledRejection', onRejection)
  t.after(() => process.off('unhandledRejection', onRejection))
  for (let run = 0; run < RUNS; run++) {
    const seed = SEED + run
    try {
      await oneRun(seed)
      assert.deepEqual(rejections, [])
    } catch (error) {
      t.diagnostic(`seed ${seed}: repeat it with SEED=${seed} RUNS=1`)
      throw error
    }
  }
  t.diagnostic(`seeds ${SEED} to ${SEED + RUNS - 1}`)
})
