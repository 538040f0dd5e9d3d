/** What of the guide prints nothing: the first page, as the hub of the guide's own command serves it, what is done at a gap, and streams as they are. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { root, tools } from '../scripts/tools.mjs'
import { useChromium } from './helpers/chromium.ts'
import { type Block, readGuide, settled } from './helpers/guide.ts'
import { startHub } from './helpers/hub.ts'
import { start } from './helpers/process.ts'

const chromium = useChromium()

/** The only block of the chapter with these words in it. */
function block(chapter: string, kind: string, words: string): string {
  const { blocks } = readGuide('en').find(({ name }) => name.startsWith(chapter)) ?? { blocks: [] as Block[] }
  const found = blocks.filter((one) => one.kind === kind && one.text.includes(words))
  assert.equal(found.length, 1, `${chapter}: ${words}`)
  return (found[0] as Block).text
}

async function post(url: string, body: string): Promise<void> {
  assert.equal((await fetch(url, { method: 'POST', body })).status, 200)
}

async function erase(url: string): Promise<void> {
  assert.ok((await fetch(url, { method: 'DELETE' })).ok)
}

const items = (page: Page): Promise<string[]> => page.locator('#list li').allTextContents()

/** As the guide has it, but on a port that is free, and with the log in a folder of its own. */
async function serve(t: TestContext, command: string, page: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'guide-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'index.html'), page)
  const [npx, downlink, ...words] = command.split(' ')
  assert.deepEqual([npx, downlink], ['npx', 'downlink'])
  const bin = join(root, 'packages', 'hub', 'bin', 'downlink.js')
  const program = start(t, tools.node24, ['--conditions=@downlink/source', bin, ...words, '--port', '0'], {
    cwd: folder,
  })
  const line = await program.line((line) => /http:\/\/\S+/.test(line))
  return /http:\/\/[^\s"]+?:\d+/.exec(line)?.[0] as string
}

test('the first page shows what its command publishes, keeps it over a reload, and loads itself anew at a gap', async (t) => {
  const [command = '', publish = ''] = block('11', 'sh', 'downlink serve').split('\n')
  const url = await serve(t, command, block('11', 'html', 'EventSource'))
  const page = await chromium.open(t, url)
  const [, body = '', channel = ''] = /^curl -d '(.*)' http:\/\/localhost:4080(\S+)$/.exec(publish) ?? []
  await post(url + channel, body)
  await page.locator('#list li').first().waitFor()
  assert.deepEqual(await items(page), [body])
  await page.reload()
  await page.locator('#list li').first().waitFor()
  assert.deepEqual(await items(page), [body], 'the last twenty come again')
  const loaded = page.waitForEvent('load')
  await erase(url + channel)
  await loaded
  await post(url + channel, 'the second')
  await page.locator('#list li').first().waitFor()
  assert.deepEqual(await items(page), ['the second'])
})

test('the handler of a gap loads the page anew', async (t) => {
  const { url } = await startHub(t)
  await post(`${url}/channels/orders`, 'one')
  const page = await chromium.open(t, url)
  const stream = page.waitForResponse(`${url}/channels/orders`)
  await page.evaluate(`(() => { ${block('05', 'js', 'location.reload()')} })()`)
  assert.equal((await stream).status(), 200)
  const loaded = page.waitForEvent('load')
  await erase(`${url}/channels/orders`)
  await loaded
})

test('subscribe() draws, shows its state, loads again at a gap, and goes on after a reload', async (t) => {
  const { url, requests } = await startHub(t)
  const page = await chromium.open(t, url)
  const script = await moduleOf(block('11', 'js', "from '@downlink/client'"))
  const told = (): Promise<string[]> => page.evaluate('told')
  const begin = async (): Promise<void> => {
    await page.evaluate(`
      globalThis.told = []
      globalThis.show = (phase) => told.push(phase)
      globalThis.load = () => told.push('load')
      globalThis.render = (value) => told.push(value.name)`)
    await page.addScriptTag({ type: 'module', content: script })
  }
  const until = (word: string): Promise<unknown> => page.waitForFunction(`told.includes('${word}')`)
  await begin()
  await until('open')
  await post(`${url}/channels/orders`, '{"name":"tea"}')
  await until('tea')
  await erase(`${url}/channels/orders`)
  await until('load')
  assert.deepEqual(
    (await told()).filter((word) => word === 'load'),
    ['load'],
  )
  const before = requests.length
  await page.reload()
  await post(`${url}/channels/orders`, '{"name":"cake"}')
  await begin()
  await until('cake')
  assert.ok(
    requests
      .slice(before)
      .every(
        ({ method, url, lastEventId }) =>
          method === 'POST' || lastEventId !== undefined || url.includes('after='),
      ),
    'it goes on at its cursor',
  )
})

test('the command that names an origin lets its pages read', async (t) => {
  const command = block('08', 'sh', '--origin')
  const url = await serve(t, command, '')
  const origin = command.split(' ').at(-1) ?? ''
  const { headers } = await fetch(`${url}/channels/a`, { headers: { origin } })
  assert.equal(headers.get('access-control-allow-origin'), origin)
})

/** The blocks of a stream, up to the first that holds these words. */
async function blockOf(url: string, words: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers } })
  const decoder = new TextDecoder()
  let text = ''
  for await (const part of response.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(part, { stream: true })
    const found = text
      .split('\n\n')
      .slice(0, -1)
      .find((one) => one.includes(words))
    if (found !== undefined) return found
  }
  return text
}

/** What differs from run to run as one word each. */
const alike = (text: string): string => settled(text).replaceAll(/\b\d{2,}\b/g, '<count>')

test('a gap looks as the guide shows it', async (t) => {
  const { hub, url } = await startHub(t, { retention: [{ channels: '**', count: 1 }] })
  const { ids } = await hub.publish('orders', { data: 'one' })
  for (let count = 0; count < 10; count++) await hub.publish('orders', { data: 'more' })
  const got = await blockOf(`${url}/channels/orders`, 'downlink:gap', { 'last-event-id': ids[0] as string })
  assert.equal(alike(got), alike(block('05', 'stream', 'downlink:gap')))
})

test('a hub that is full says so as the guide shows it', async (t) => {
  const { url } = await startHub(t, { delivery: { retryMs: 5000 }, limits: { readers: 10 } })
  const abort = new AbortController()
  t.after(() => abort.abort())
  const read = (): Promise<Response> =>
    fetch(`${url}/channels/a`, { headers: { accept: 'text/event-stream' }, signal: abort.signal })
  await Promise.all(Array.from({ length: 10 }, read))
  assert.equal(alike(await (await read()).text()), alike(block('10', 'stream', 'overload')))
})

/** As a bundler makes it of what the guide shows. */
async function moduleOf(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(root, 'e2e') },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['@downlink/source'],
  })
  return outputFiles[0]?.text ?? ''
}
