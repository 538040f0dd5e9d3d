/** `downlink tail` over connections that break, go silent, and hubs that die: every event once, in order, or a gap. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { randomOf, seedOf } from '../../../e2e/helpers/random.ts'
import { startRelay } from '../../../e2e/helpers/relay.ts'
import { run, serving } from './cli/command.ts'
import { startHub } from './cli/hub.ts'

const TRANSPORTS = ['sse', 'long-poll', 'poll'] as const

for (const transport of TRANSPORTS) {
  test(`P1.2.1: ${transport}: cuts in the middle of anything lose nothing and repeat nothing`, async (t) => {
    const random = randomOf(seedOf(t))
    const { hub, port } = await startHub(t)
    const relay = await startRelay(port)
    t.after(() => relay[Symbol.asyncDispose]())
    // Every third connection is cut in its first page or block, the others a little later.
    // Pages are compressed.
    const [first, most] = transport === 'poll' ? [300, 3_000] : [2_000, 30_000]
    // Every fourth lives long: of those that break in a row each has the next one wait twice as long.
    relay.lifetime = () => {
      if (relay.accepted % 4 === 3) return 2 * most
      return Math.floor(random() * (relay.accepted % 3 === 0 ? first : most))
    }
    relay.cutting = () => (random() < 0.5 ? 'reset' : 'end')
    const lines = Array.from({ length: 600 }, (_, index) => `line ${index} é ${'😀'.repeat(index % 30)}`)
    await hub.publish('a', lines.slice(0, 200))
    const command = run(t, ['tail', 'a', '--after', 'start', '--transport', transport, '--hub', relay.url])
    await command.until(() => command.lines.length > 0)
    for (let from = 200; from < lines.length; from += 20) {
      await hub.publish('a', lines.slice(from, from + 20))
      await command.until(() => command.lines.length >= from - 100)
    }
    await hub.end('a')
    assert.equal(await command.ended, 0)
    assert.deepEqual(command.lines, lines)
    assert.ok(relay.accepted >= 3, `${relay.accepted} connections`)
    assert.doesNotMatch(command.stderr, /Gap/)
  })

  test(`P8.2.3: ${transport}: a hub on the memory log that was killed and restarted is told as a gap`, async (t) => {
    const first = await serving(t, ['--port', '0'])
    const relay = await startRelay(Number(new URL(first.url).port))
    t.after(() => relay[Symbol.asyncDispose]())
    const command = run(t, ['tail', 'a', '--after', 'start', '--transport', transport, '--hub', relay.url])
    await publish(first.url, 'one')
    await command.until(() => command.stdout === 'one\n')
    first.command.child.kill('SIGKILL')
    await first.command.ended
    const second = await serving(t, ['--port', '0'])
    relay.target = Number(new URL(second.url).port)
    await publish(second.url, 'two')
    await command.until(() => command.stdout === 'one\ntwo\n')
    const gaps = command.stderr.split('\n').filter((line) => line.includes('Gap'))
    assert.deepEqual(gaps, [
      "downlink: Gap (unknown): the hub can't tell what was missed of a; reading goes on with what it has",
    ])
    await publish(second.url, '', '?end')
    assert.equal(await command.ended, 0)
  })
}

test('P6.5: a stream that has gone silent is given up after two and a half heartbeats', async (t) => {
  const { hub, port } = await startHub(t, { delivery: { heartbeatMs: 200 } })
  const relay = await startRelay(port)
  t.after(() => relay[Symbol.asyncDispose]())
  const command = run(t, ['tail', 'a', '--after', 'start', '--hub', relay.url])
  await hub.publish('a', 'one')
  await command.until(() => command.stdout === 'one\n')
  relay.pause()
  await hub.publish('a', 'two')
  await command.until(() => command.stdout === 'one\ntwo\n')
  assert.ok(relay.accepted > 1)
})

test('the reconnection time that the hub asks for is kept', async (t) => {
  const { hub, port } = await startHub(t, { delivery: { retryMs: 1_500 } })
  const relay = await startRelay(port)
  t.after(() => relay[Symbol.asyncDispose]())
  const command = run(t, ['tail', 'a', '--after', 'start', '--hub', relay.url])
  await hub.publish('a', 'one')
  await command.until(() => command.stdout === 'one\n')
  const cut = performance.now()
  relay.cut()
  await hub.publish('a', 'two')
  await command.until(() => command.stdout === 'one\ntwo\n')
  // Spread by the hub to two thirds at least; a timer may fire a millisecond early.
  assert.ok(performance.now() - cut >= 990)
  assert.equal(command.stderr, '')
})

test('waits for a hub that is away, says so once, and says when it is back', async (t) => {
  const { hub, port } = await startHub(t)
  const relay = await startRelay(port)
  t.after(() => relay[Symbol.asyncDispose]())
  relay.refusing = true
  await hub.publish('a', 'one', { end: true })
  const command = run(t, ['tail', 'a', '--after', 'start', '--hub', relay.url])
  await command.until(() => command.stderr !== '')
  relay.refusing = false
  assert.equal(await command.ended, 0)
  assert.equal(command.stdout, 'one\n')
  assert.match(
    command.stderr,
    /^downlink: No hub answers at \S+ \(connection reset\): trying again until it works\ndownlink: The hub is there again\n$/,
  )
})

async function publish(url: string, data: string, query = ''): Promise<void> {
  const { status } = await fetch(`${url}/channels/a${query}`, { method: 'POST', body: data })
  assert.equal(status, 200)
}
