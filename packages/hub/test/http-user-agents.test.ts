/** What clients call themselves: shown with what they read, and cheap to remember. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createHub, type Hub } from '../src/hub.ts'
import { serveHub } from '../src/http/server.ts'
import { NOBODY } from '../src/delivery/holder.ts'
import { shownAgent, UserAgents } from '../src/http/user-agents.ts'
import { fakeRequest } from './wire-contract/fake-request.ts'

const says = (userAgent: string) => fakeRequest('', { 'user-agent': userAgent })

async function served(t: TestContext): Promise<{ readonly hub: Hub; readonly url: string }> {
  const hub = createHub()
  const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 0 })
  t.after(async () => {
    await server.stop()
    await hub.close()
  })
  return { hub, url: server.url }
}

test('streams and waiting long polls are known with what their client calls itself', async (t) => {
  const { hub, url } = await served(t)
  const headers = { 'user-agent': 'Browser/1 (a kind)' }
  const gone = new AbortController()
  t.after(() => gone.abort())
  await fetch(`${url}/channels/a`, {
    headers: { ...headers, accept: 'text/event-stream' },
    signal: gone.signal,
  })
  const poll = fetch(`${url}/channels/a?wait=30`, { headers, signal: gone.signal })
  poll.catch(() => {})
  while (hub.delivery.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
  // It sleeps a moment after it was taken in.
  while ([...hub.delivery.list()].length < 2) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    Array.from(hub.delivery.list(), ({ transport, userAgent }) => [transport, userAgent]),
    [
      ['sse', 'Browser/1 (a kind)'],
      ['long-poll', 'Browser/1 (a kind)'],
    ],
  )
})

test('is shown in visible ASCII, and no longer than 200 characters', () => {
  assert.equal(shownAgent('a b\u00e9\u0080"<'), 'a b%E9%80"<')
  assert.equal(shownAgent('\u00e9'.repeat(200)).length, 200)
  const { userAgent } = new UserAgents().holder(says('x'.repeat(5_000)), NOBODY)
  assert.equal(userAgent, 'x'.repeat(200))
})

test('those nobody knows and who say the same are one holder, so that it costs them nothing', () => {
  const agents = new UserAgents()
  const holder = agents.holder(says('a'), NOBODY)
  assert.equal(agents.holder(says('a'), NOBODY), holder)
  assert.notEqual(agents.holder(says('b'), NOBODY), holder)
  assert.equal(agents.holder(fakeRequest(), NOBODY), NOBODY)
  for (let at = 0; at < 1_000; at++) agents.holder(says(`${at}`), NOBODY)
  assert.notEqual(agents.holder(says('a'), NOBODY), holder, 'those that are kept are bounded')
})

test('who is somebody stays so', () => {
  const holder = { subject: 'ann', address: '1.2.3.4' }
  assert.deepEqual(new UserAgents().holder(says('a'), holder), { ...holder, userAgent: 'a' })
})
