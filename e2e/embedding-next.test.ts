/** The example of a Next app, with the packed packages: Next builds it, checks its types, and runs it. */
import assert from 'node:assert/strict'
import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { frameworks, toolFolder, tools } from '../scripts/tools.mjs'
import { packAll } from '../scripts/pack.mjs'
import { useChromium } from './helpers/chromium.ts'
import { assertTellsOrders, examples, type Example, poll, urlOf } from './helpers/example.ts'
import { type Program, spawnQuietly, start } from './helpers/process.ts'
import { exec } from './packed.ts'

const browser = useChromium()
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', PORT: '0' }
let app: string
let cli: string
let program: Program
let example: Example

before(async () => {
  const next = frameworks.find(({ name }) => name === 'next')
  assert.ok(next !== undefined)
  // Beside its own node_modules, from where the app has Next and React.
  app = await mkdtemp(join(toolFolder(next), 'app-'))
  await cp(join(examples, 'next'), app, { recursive: true })
  await writeFile(join(app, 'package.json'), '{ "private": true, "type": "module" }\n')
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  await exec('npm', ['install', '--prefix', app, ...options, ...packAll(app).map(({ tarball }) => tarball)])
  cli = join(toolFolder(next), 'node_modules', 'next', 'dist', 'bin', 'next')
  const build = spawnQuietly(tools.node24, [cli, 'build'], { cwd: app, env })
  assert.equal(await build.ended, 0, build.said)
  program = spawnQuietly(tools.node24, [cli, 'start'], { cwd: app, env })
  example = { program, url: await urlOf(program) }
})
after(async () => {
  await program?.stop()
  if (app) await rm(app, { recursive: true, force: true })
})

test('a Next app tells everyone of an order that it takes', async (t) => {
  await assertTellsOrders(t, example)
})

test('the page of the Next app shows what comes while it is open', async (t) => {
  const order = async (body: string): Promise<void> => {
    const { status } = await fetch(`${example.url}/orders`, { method: 'POST', body })
    assert.equal(status, 201)
  }
  await order('from before')
  const page = await browser.open(t, example.url)
  const shows = (text: string) =>
    page.waitForFunction(
      (wanted) => [...document.querySelectorAll('li')].at(-1)?.textContent === wanted,
      text,
    )
  await shows('from before')
  await order('from next door')
  await shows('from next door')
})

test('under next dev the hub outlives an edit of its module', async (t) => {
  const dev = start(t, tools.node24, [cli, 'dev'], { cwd: app, env })
  const url = await urlOf(dev)
  const order = async (body: string): Promise<void> => {
    assert.equal((await fetch(`${url}/orders`, { method: 'POST', body })).status, 201, dev.said)
  }
  const orders = async () =>
    (await poll(`${url}/updates/channels/orders?after=start`)).events.map(({ data }) => data)
  await order('tea')
  assert.deepEqual(await orders(), ['tea'])
  await appendFile(join(app, 'hub.ts'), "console.log('loaded once more')\n")
  // Next loads it when it is needed, and may not have seen the edit yet.
  while (!dev.lines.some((line) => line.includes('loaded once more')))
    assert.deepEqual(await orders(), ['tea'])
  await order('milk')
  assert.deepEqual(await orders(), ['tea', 'milk'])
})
