/** A `fetch` like that of React Native: it resolves when the answer is whole, and has no body to be read as it comes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConnectionState, subscribe } from '@downlink/client'
import { startHub } from './hub.ts'

async function wholeFetch(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  const { status, headers } = response
  const text = await response.text()
  const whole = {
    status,
    headers,
    body: undefined,
    text: async () => text,
    json: async () => JSON.parse(text),
  }
  return whole as unknown as Response
}

test('where fetch knows whole answers only, long polls take over, with each event once', async (t) => {
  const { hub, url, requests } = await startHub(t)
  await hub.publish('numbers', [{ data: '0' }, { data: '1' }])
  const updates = subscribe(`${url}/channels/numbers`, {
    after: 'start',
    fetch: wholeFetch,
    limits: { openMs: 50, graceMs: 50 },
  })
  t.after(() => updates.close())
  const states: ConnectionState[] = []
  updates.on('state', (state) => states.push(state))
  const seen: string[] = []
  for await (const { data } of updates) {
    seen.push(data)
    if (seen.length === 5) break
    if (seen.length >= 2) await hub.publish('numbers', { data: String(seen.length) })
  }
  assert.deepEqual(seen, ['0', '1', '2', '3', '4'])
  assert.deepEqual(
    states.map(({ transport, reason }) => `${transport} ${reason}`).find((step) => !step.startsWith('sse')),
    'long-poll held-back',
  )
  assert.equal(requests.filter(({ url }) => !url?.includes('transport=')).length, 1, 'streams')
})

test('a refusal says why there, too', async (t) => {
  const { url } = await startHub(t, { handler: { authorize: () => false } })
  const updates = subscribe(`${url}/channels/numbers`, { fetch: wholeFetch })
  t.after(() => updates.close())
  await updates.closed
  const { error } = updates.state
  assert.deepEqual([error?.code, error?.status, error?.problem], ['refused', 401, 'unauthorized'])
})
