/** The examples of the README, as they stand there: each is started, read and told something new. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createHub, type Hub } from '@downlink/hub'
import { fetchHandler } from '@downlink/hub/fetch'
import { nodeHandler } from '@downlink/hub/node'
import { parsePage } from '@downlink/wire'
import express from 'express'
import Fastify from 'fastify'
import { root, tools } from '../scripts/tools.mjs'
import { useChromium } from './helpers/chromium.ts'
import { assertTellsOrders, examples, openStream, poll, startExample, take } from './helpers/example.ts'
import { startHub } from './helpers/hub.ts'
import { openSource } from './helpers/native-source.ts'
import { start } from './helpers/process.ts'

const browser = useChromium()

for (const name of ['express', 'fastify', 'hono']) {
  test(`examples/${name}.ts tells everyone of an order that it takes`, async (t) => {
    await assertTellsOrders(t, await startExample(t, `${name}.ts`))
  })
}
for (const runtime of ['bun', 'deno'] as const) {
  test(`examples/${runtime}.ts tells everyone of an order that it takes, in ${runtime}`, async (t) => {
    await assertTellsOrders(t, await startExample(t, `${runtime}.ts`, runtime))
  })
}

test('examples/node-http.ts shows a clock, and ends on SIGTERM while it is being read', async (t) => {
  const { program, url } = await startExample(t, 'node-http.ts')
  const stream = await openStream(t, `${url}/updates/channels/clock`)
  const first = await take(stream)
  const second = await take(stream)
  assert.ok(Date.parse(second.data) > Date.parse(first.data))
  const page = await poll(`${url}/updates/channels/clock?after=${first.lastEventId}&limit=1`)
  assert.equal(page.events[0]?.id, second.lastEventId)

  const shown = await browser.open(t, url)
  await shown.waitForFunction(() => /^\d{4}-/.test(document.querySelector('output')?.value ?? ''))

  program.process.kill('SIGTERM')
  assert.equal(await program.ended, 0, program.said)
})

test('examples/page.html works when it is pasted: it lists orders, also those missed while the hub was away', async (t) => {
  const body = await readFile(join(examples, 'page.html'), 'utf8')
  const page = { headers: { 'content-type': 'text/html; charset=utf-8' }, body }
  const { hub, url, port, stop } = await startHub(t, {}, { page })
  await hub.publish('orders', { data: 'tea' })
  const shown = await browser.open(t, url)
  const list = (): Promise<readonly string[]> => shown.locator('li').allTextContents()
  const shows = (count: number) =>
    shown.waitForFunction((n) => document.querySelectorAll('li').length === n, count)
  await shows(1)
  await hub.publish('orders', { data: '<b>milk</b>' })
  await shows(2)
  assert.deepEqual(await list(), ['tea', '<b>milk</b>'])

  await stop()
  const next = await startHub(t, {}, { page, port })
  await next.hub.publish('orders', [{ data: 'sugar' }, { data: 'lemon' }, { data: 'rum' }])
  await shows(3)
  assert.deepEqual(await list(), ['sugar', 'lemon', 'rum'])
})

test('examples/authorize.ts lets a session read what is its own, and only the token publish', async (t) => {
  const { url } = await startExample(t, 'authorize.ts', 'node', { PUBLISH_TOKEN: 'c0ffee' })
  const status = async (
    path: string,
    headers: Record<string, string>,
    init: RequestInit = {},
  ): Promise<number> => {
    const response = await fetch(`${url}${path}`, { ...init, headers })
    await response.body?.cancel()
    return response.status
  }
  const anna = { cookie: 'theme=dark; session=5f1c' }
  const token = { authorization: 'Bearer c0ffee' }
  const publish = { method: 'POST', body: 'hello' }
  assert.deepEqual(
    {
      published: await status('/channels/news,user.anna,user.ben', token, publish),
      withoutToken: await status('/channels/news', anna, publish),
      withAnotherToken: await status('/channels/news', { authorization: 'Bearer undefined' }, publish),
      own: await status('/channels/news,user.anna?transport=sse', anna),
      another: await status('/channels/user.ben', anna),
      pattern: await status('/channels/user.*', anna),
      mixed: await status('/channels/news,user.ben', anna),
      stranger: await status('/channels/news', {}),
      forged: await status('/channels/user.undefined', { cookie: 'session=0000' }),
      health: await status('/readyz', {}),
      metrics: await status('/metrics', anna),
      page: await status('/channels/news', { ...anna, origin: 'https://app.example' }),
    },
    {
      published: 200,
      withoutToken: 401,
      withAnotherToken: 403,
      own: 200,
      another: 401,
      pattern: 401,
      mixed: 401,
      stranger: 401,
      forged: 401,
      health: 200,
      metrics: 401,
      page: 200,
    },
  )
  const list = (await (await fetch(`${url}/channels`, { headers: anna })).json()) as {
    channels: { name: string }[]
  }
  assert.deepEqual(
    list.channels.map(({ name }) => name),
    ['news', 'user.anna'],
  )
})

test('the examples have the types that the packages say they have', async (t) => {
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const check = start(t, tools.node24, [tsc, '-p', join(examples, 'tsconfig.json')])
  assert.equal(await check.ended, 0, check.said)
})

test('each block of the README that names an example is that example, to the letter', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const quoted = [...readme.matchAll(/<!-- (examples\/\S+) -->\s*```\w+\n(.*?)```/gs)]
  assert.equal(quoted.length, readme.match(/<!-- examples\//g)?.length, 'a name without a block')
  assert.ok(quoted.length > 0)
  for (const [, path = '', block] of quoted)
    assert.equal(block, await readFile(join(root, path), 'utf8'), path)
})

test('a body parser before the hub is reported in so many words, and nothing is stored', async (t) => {
  const { hub, errors } = reportingHub(t)
  const app = express()
  app.use(express.json())
  app.use('/updates', nodeHandler(hub))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const channel = `http://127.0.0.1:${(server.address() as AddressInfo).port}/updates/channels/orders`

  const headers = { 'content-type': 'application/json' }
  const refused = await fetch(channel, { method: 'POST', headers, body: '{"item":"tea"}' })
  assert.equal(refused.status, 500)
  assert.equal(((await refused.json()) as { code: string }).code, 'internal')
  assert.match(String(errors[0]), /mount the hub before body parsers/)
  assert.deepEqual((await hub.read('orders')).events, [])

  const passed = await fetch(channel, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: 'tea',
  })
  assert.equal(passed.status, 200)
  assert.equal((await hub.read('orders')).events[0]?.data, 'tea')
})

test('a Fastify route instead of a hook is reported in the same words, and nothing is stored', async (t) => {
  const { hub, errors } = reportingHub(t)
  const updates = nodeHandler(hub, { mount: '/updates' })
  const app = Fastify()
  app.all('/updates/*', async (request, reply) => {
    reply.hijack()
    await updates(request.raw, reply.raw)
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  const refused = await fetch(`${url}/updates/channels/orders`, { method: 'POST', body: 'tea' })
  assert.equal(refused.status, 500)
  assert.match(String(errors[0]), /mount the hub before body parsers/)
  assert.deepEqual((await hub.read('orders')).events, [])
})

test("in Express, paths that are not the hub's go on to the app; Chromium reads at the mount", async (t) => {
  const { hub } = reportingHub(t)
  const app = express()
  app.use('/updates', nodeHandler(hub))
  app.use((req, res) => void res.type('html').send(`<!doctype html><p>${req.path}</p>`))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const page = await browser.open(
    t,
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/updates/about`,
  )
  assert.equal(await page.locator('p').textContent(), '/updates/about')
  const source = await openSource(page, '/updates/channels/orders')
  await source.nth('downlink:open')
  const { ids } = await hub.publish('orders', { data: 'tea' })
  assert.equal((await source.nth('message')).lastEventId, ids[0])
})

test('a hub that is mounted leaves every other path to the app, also one that looks like its own', async (t) => {
  const { hub } = reportingHub(t)
  await hub.publish('orders', { data: 'tea' })
  for (const mount of ['/updates', '/updates/']) {
    const updates = nodeHandler(hub, { mount })
    const app = createServer((req, res) => void updates(req, res, () => res.end('the app')))
    await once(app.listen(0, '127.0.0.1'), 'listening')
    t.after(() => app.close())
    const fetched = fetchHandler(hub, { mount })
    const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
    for (const path of [
      '/channels/orders',
      '/updatesx/channels/orders',
      '/channels',
      '/healthz',
      '/updates/other',
      '/',
    ]) {
      assert.equal(await (await fetch(url + path)).text(), 'the app', path)
      assert.equal((await fetched(new Request(url + path))).status, 404, path)
    }
    for (const answer of [
      await fetch(`${url}/updates/channels/orders`),
      await fetched(new Request(`${url}/updates/channels/orders`)),
    ]) {
      assert.equal(parsePage(await answer.text()).events[0]?.data, 'tea')
    }
  }
})

function reportingHub(t: TestContext): { hub: Hub; errors: unknown[] } {
  const errors: unknown[] = []
  const hub = createHub({ onError: (error) => errors.push(error) })
  t.after(() => hub.close())
  return { hub, errors }
}
