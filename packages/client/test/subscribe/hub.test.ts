/** `subscribe()` against the real hub, over real sockets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subscribe, type Update } from '@downlink/client'
import { startHub } from './hub.ts'

test('a loop is given each event, with its channel, type and time', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('orders', [{ data: 'one' }, { type: 'paid', data: 'two' }])
  const updates = subscribe(`${url}/channels/orders`, { after: 'start' })
  t.after(() => updates.close())
  const seen: Update[] = []
  for await (const update of updates) {
    seen.push(update)
    if (seen.length === 2) break
  }
  assert.deepEqual(
    seen.map(({ channel, type, data }) => [channel, type, data]),
    [
      ['orders', 'message', 'one'],
      ['orders', 'paid', 'two'],
    ],
  )
  assert.match(seen[0]?.time ?? '', /^\d{4}-.*Z$/)
  await updates.closed
  assert.equal(updates.state.phase, 'closed')
})
for (const transport of ['sse', 'long-poll', 'poll'] as const) {
  test(`connections that are cut lose nothing and repeat nothing: ${transport}`, async (t) => {
    const { hub, url, cut } = await startHub(t)
    const updates = subscribe(`${url}/channels/numbers`, {
      after: 'start',
      transport,
      limits: { minWaitMs: 1 },
    })
    t.after(() => updates.close())
    const seen: string[] = []
    let sent = 0
    for (; sent < 5; sent++) await hub.publish('numbers', { data: String(sent) })
    for await (const { data } of updates) {
      seen.push(data)
      if (seen.length === 40) break
      if (seen.length % 5 === 0) {
        cut()
        for (let i = 0; i < 5; i++) await hub.publish('numbers', { data: String(sent++) })
      }
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 40 }, (_, i) => String(i)),
    )
  })
}

test('it ends when all channels have ended', async (t) => {
  for (const transport of ['sse', 'long-poll', 'poll'] as const) {
    const { hub, url } = await startHub(t)
    const updates = subscribe(`${url}/channels/a,b`, { after: 'start', transport })
    t.after(() => updates.close())
    const ends: string[] = []
    updates.on('end', ({ channel }) => ends.push(channel))
    await hub.publish('a', { data: 'last' }, { end: true })
    await hub.publish('b', [], { end: true })
    const seen: string[] = []
    for await (const { data } of updates) seen.push(data)
    assert.deepEqual(seen, ['last'])
    assert.deepEqual(ends, ['a', 'b'])
    assert.equal(updates.state.phase, 'ended')
    await updates.closed
  }
})
