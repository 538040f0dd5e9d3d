/** One log, three ways to read it, all from one page in Chromium. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page as LogPage } from '@downlink/wire'
import type { Page } from 'playwright-core'
import { useChromium } from './helpers/chromium.ts'
import { startHub } from './helpers/hub.ts'
import { openSource } from './helpers/native-source.ts'

const browser = useChromium()

const fetchPage = (page: Page, url: string): Promise<LogPage> =>
  page.evaluate(async (path) => (await (await fetch(path)).json()) as LogPage, url)

/** What is hard on an encoding: line ends of all kinds, colons, blanks, nothing at all, and what is no ASCII. */
const HARD = [
  'plain',
  '',
  ' ',
  ' leading: and trailing ',
  'one\ntwo\r\nthree\rfour\n',
  '\n',
  '\n\n\n',
  ':comment?\ndata: forged\nid: 9\n\nevent: forged',
  '{"json":"é…😀","nul":"\0"}',
  'lone \ud800 surrogate',
  '\u2028\u2029\u0085\ufeff',
  'x'.repeat(100_000),
]

test('the same publish has the same ids, types and data by poll, long poll and EventSource (P1.2.2)', async (t) => {
  const { hub, url } = await startHub(t)
  const page = await browser.open(t, url)
  const source = await openSource(page, '/channels/orders', { types: ['paid'] })
  const { lastEventId: start } = await source.nth('downlink:open')
  const waiting = fetchPage(page, `/channels/orders?after=${start}&wait=60`)
  const events = HARD.map((data, i) => (i % 3 === 2 ? { type: 'paid', data } : { data }))
  const { ids } = await hub.publish('orders', events)
  await source.until(() => source.messages.length === HARD.length)

  const streamed = source.messages.map(({ lastEventId, type, data }) => ({ id: lastEventId, type, data }))
  const triple = ({ events: read }: LogPage) => read.map(({ id, type, data }) => ({ id, type, data }))
  assert.deepEqual(triple(await waiting), streamed)
  for (const query of [
    'after=start',
    'last=100',
    'after=start&wait=5',
    `after=${start}&transport=poll`,
    '',
  ]) {
    assert.deepEqual(triple(await fetchPage(page, `/channels/orders?${query}`)), streamed, query)
  }
  assert.deepEqual(triple(await hub.read('orders', { after: 'start' })), streamed)
  assert.deepEqual(
    streamed.map(({ id }) => id),
    ids,
  )
  assert.deepEqual(
    streamed.map(({ data }) => data),
    HARD.map((data) => data.replace(/\r\n?/g, '\n').toWellFormed()),
  )
})

test('a page that changes its way of reading after every answer misses nothing and repeats nothing (P1.2.2)', async (t) => {
  const { hub, url } = await startHub(t)
  const page = await browser.open(t, url)
  const published: string[] = []
  const publish = async (): Promise<void> => {
    const { ids } = await hub.publish(['a', 'b'], [{ data: 'x' }, { data: 'y' }])
    published.push(...ids)
  }
  const read: string[] = []
  let cursor = (await fetchPage(page, '/channels/a,b?limit=1')).cursor
  for (let round = 0; round < 12; round++) {
    const publishing = publish()
    if (round % 3 === 2) {
      const source = await openSource(page, `/channels/a,b?after=${cursor}`)
      await publishing
      await source.until(() => source.messages.at(-1)?.lastEventId === published.at(-1))
      await source.close()
      read.push(...source.messages.map(({ lastEventId }) => lastEventId ?? ''))
      cursor = read.at(-1) ?? ''
      continue
    }
    const query = round % 3 === 1 ? 'wait=60&limit=3' : 'limit=3'
    const answer = await fetchPage(page, `/channels/a,b?after=${cursor}&${query}`)
    read.push(...answer.events.map(({ id }) => id))
    cursor = answer.cursor
    await publishing
  }
  for (let more = true; more;) {
    const answer = await fetchPage(page, `/channels/a,b?after=${cursor}`)
    read.push(...answer.events.map(({ id }) => id))
    ;({ cursor, more } = answer)
  }
  assert.deepEqual(read, published)
  assert.equal(published.length, 12 * 4)
})

test('a page publishes with fetch, and sees its own event on all transports', async (t) => {
  const { url } = await startHub(t)
  const page = await browser.open(t, url)
  const source = await openSource(page, '/channels/chat', { types: ['said'] })
  const { lastEventId: start } = await source.nth('downlink:open')
  const waiting = fetchPage(page, `/channels/chat?after=${start}&wait=60`)
  const ids = await page.evaluate(async () => {
    const answer = await fetch('/channels/chat?type=said', { method: 'POST', body: 'hello' })
    return ((await answer.json()) as { ids: string[] }).ids
  })
  const { data, lastEventId } = await source.nth('said')
  const [event] = (await waiting).events
  assert.deepEqual({ data, lastEventId }, { data: 'hello', lastEventId: ids[0] })
  assert.deepEqual(
    { data: event?.data, id: event?.id, type: event?.type },
    { data: 'hello', id: ids[0], type: 'said' },
  )
})

test('a browser polls for nothing at the price of a 304, by its own cache (P4.2.2)', async (t) => {
  const { hub, url, server } = await startHub(t)
  const page = await browser.open(t, url)
  const { ids } = await hub.publish('orders', { data: 'one' })
  const statuses: number[] = []
  server.server.on('request', (_, res) => res.once('finish', () => statuses.push(res.statusCode)))
  const path = `/channels/orders?after=${ids[0]}&transport=poll`
  assert.deepEqual((await fetchPage(page, path)).events, [])
  assert.deepEqual((await fetchPage(page, path)).events, [])
  await hub.publish('orders', { data: 'two' })
  assert.equal((await fetchPage(page, path)).events[0]?.data, 'two')
  assert.deepEqual(statuses, [200, 304, 200])
})
