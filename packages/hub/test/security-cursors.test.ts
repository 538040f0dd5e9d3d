/**
 * Cursor probing: positions count all that the hub takes in, so a reader learns how much happens in channels that it may not read, and
 * when. It learns nothing else: two hubs that differ only in what others say are told apart by no answer.
 */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { systemClock, type Clock } from '../src/clock.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { type HubServer, serveHub } from '../src/http/server.ts'
import { ask, problemOf, type Got } from './wire-contract/client.ts'

/** Time and chance are the same for both, so that epochs and jitter are. */
function sameClock(): Clock {
  let now = 1_700_000_000_000
  return { ...systemClock, now: () => now++, random: () => 0.25 }
}

interface World {
  readonly hub: Hub
  readonly server: HubServer
}

/** `mine` is public; the rest is for nobody who asks here. */
async function world(t: TestContext, others: (hub: Hub) => Promise<void>): Promise<World> {
  const hub = createHub({ clock: sameClock(), retention: [{ channels: 'mine', count: 3 }] })
  t.after(() => hub.close())
  const server = await serveHub(hub, {
    host: '127.0.0.1',
    graceMs: 100,
    authorize: (_request, _action, channels) => channels.every((name) => name === 'mine'),
  })
  t.after(() => server.stop())
  for (let round = 0; round < 5; round++) {
    await hub.publish('mine', `mine ${round}`)
    await others(hub)
  }
  // So that streams come to an end by themselves.
  await hub.end('mine')
  return { hub, server }
}

const said = ({ status, headers, text }: Got): unknown => {
  const { date: _date, 'x-request-id': _id, ...rest } = headers
  return { status, headers: rest, text: text.replaceAll(/urn:downlink:request:[\w.]+/g, '') }
}

describe('two hubs that differ in what others say', () => {
  test('tell a reader the same, whatever it asks and wherever it starts', async (t) => {
    const one = await world(t, async (hub) => {
      await hub.publish('secret.a', 'short')
      await hub.publish('secret.b', { type: 'typed', data: 'x' })
      await hub.drop('secret.a')
    })
    const other = await world(t, async (hub) => {
      await hub.publish('hidden', 'a much longer text, that says something else altogether'.repeat(50))
      await hub.publish('hidden', '')
      await hub.drop('hidden')
    })
    const { epochs, frontier } = one.hub.log.state()
    assert.deepEqual(other.hub.log.state(), one.hub.log.state())
    const [{ name: epoch }] = epochs
    const positions = Array.from({ length: frontier + 3 }, (_, position) => `${epoch}-${position}`)
    for (const after of ['start', 'now', ...positions, 'otherepoch-3', `${epoch}-9007199254740991`]) {
      for (const rest of ['limit=2', 'wait=0', 'last=0', 'transport=poll&limit=1000', 'transport=sse']) {
        const query = `channels/mine?after=${after}&${rest}`
        const [a, b] = await Promise.all([one, other].map(({ server }) => ask(`${server.url}/${query}`)))
        assert.deepEqual(said(a as Got), said(b as Got), query)
      }
    }
  })

  test('refuse to tell of a channel of others in the same words, whether there is one or not', async (t) => {
    const { server } = await world(t, async (hub) => {
      await hub.publish('secret', 'x')
    })
    for (const accept of ['application/json', 'text/event-stream'])
      for (const [path, method] of [
        ['/channels/NAME', 'GET'],
        ['/channels/NAME', 'HEAD'],
        ['/channels/NAME?after=start&wait=1', 'GET'],
        ['/channels/mine,NAME', 'GET'],
        ['/channels/NAME', 'POST'],
        ['/channels/NAME?end', 'POST'],
        ['/channels/NAME', 'DELETE'],
      ] as const) {
        const [there, nowhere] = await Promise.all(
          ['secret', 'nobody'].map((name) => {
            return ask(server.url + path.replace('NAME', name), { method, headers: { accept } })
          }),
        )
        assert.deepEqual(said(there as Got), said(nowhere as Got), `${method} ${path}`)
        if (method !== 'HEAD') problemOf(there as Got, 401, 'unauthorized')
      }
  })

  test('list to a reader what it may read', async (t) => {
    const authorize = (_request: unknown, _action: string, channels: readonly string[]): boolean =>
      channels.every((name) => name === 'mine' || name === 'mine.too')
    const hub = createHub()
    t.after(() => hub.close())
    for (let n = 0; n < 300; n++) await hub.publish(`a-secret-${n}`, 'x')
    await hub.publish(['mine', 'mine.too', 'z-secret'], 'x')
    const server = await serveHub(hub, { host: '127.0.0.1', authorize })
    t.after(() => server.stop())
    for (const query of [
      '',
      '?limit=1',
      '?match=**',
      '?match=*',
      '?after=a',
      '?match=z-secret',
      '?match=a-secret-1,mine',
    ]) {
      const { text } = await ask(`${server.url}/channels${query}`)
      assert.doesNotMatch(text, /secret/, query)
    }
    const { channels, next } = JSON.parse((await ask(`${server.url}/channels?limit=1`)).text) as {
      channels: { name: string }[]
      next: string
    }
    assert.deepEqual([channels.map(({ name }) => name), next], [['mine'], 'mine'])
  })
})
