/** Servers that would like to be asked for ever, at once; and how often `subscribe()` asks them. Runs in a thread. */
import assert from 'node:assert/strict'
import { randomOf } from '../../../../e2e/helpers/random.ts'
import { openSubscription } from '../../src/subscribe/subscription.ts'
import { settled, World } from './world.ts'

const text = (body: string, type = 'text/event-stream', status = 200): Response =>
  new Response(body, { status, headers: { 'content-type': type } })
const page = (members: object): Response =>
  text(JSON.stringify({ events: [], cursor: 'e-1', more: false, retry: 0, ...members }), 'application/json')

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

export const mean: readonly string[] = Object.keys(MEAN)

/** @returns requests in ten minutes */
export default async function askedIn({ name, seed }: { name: string; seed: number }): Promise<number> {
  const answer = MEAN[name]
  assert.ok(answer)
  const world = new World(randomOf(seed))
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
  assert.equal(world.timers, 0)
  return count
}
