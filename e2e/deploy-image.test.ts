/**
 * docs/deploy/Dockerfile, step by step in folders of its own, as there is no Docker where the tests run: what a build would run is run,
 * and what a container would start is started, as the first process of its own process space where the machine lets us.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '../packages/hub/test/proxies/programs.ts'
import { root, tools } from '../scripts/tools.mjs'
import { deploy } from './helpers/front.ts'
import { start } from './helpers/process.ts'

interface Step {
  readonly instruction: string
  readonly text: string
}

const STEPS: readonly Step[] = readFileSync(join(deploy, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ instruction: line.split(' ')[0] ?? '', text: line.slice(line.indexOf(' ') + 1) }))

/** Where the last stage begins. */
const LAST = STEPS.findLastIndex(({ instruction }) => instruction === 'FROM')
const image = STEPS.slice(LAST)
const said = (instruction: string): readonly string[] =>
  image.filter((step) => step.instruction === instruction).map(({ text }) => text)
const command = (instruction: string): readonly string[] => JSON.parse(said(instruction)[0] ?? '') as string[]

const folder = mkdtempSync(join(tmpdir(), 'downlink-image-'))
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))

/** A path of the image as one of the machine; the sources are the checkout. */
const here = (text: string): string =>
  text
    .replaceAll(/(?<=^|[\s'"(:=])\/src\b/g, root.replace(/\/$/, ''))
    .replaceAll(/(?<=^|[\s'"(:=])(?=\/(?:app|data|packed|etc)\b)/g, folder)

before(() => {
  mkdirSync(join(folder, 'etc/downlink'), { recursive: true })
  cpSync(join(deploy, 'config.json'), join(folder, 'etc/downlink/config.json'))
  let cwd = '/'
  const env = {
    ...process.env,
    PATH: `${dirname(tools.node24)}:${process.env['PATH']}`,
    npm_config_prefer_offline: 'true',
  }
  for (const { instruction, text } of STEPS.slice(0, LAST)) {
    if (instruction === 'WORKDIR') mkdirSync((cwd = here(text)), { recursive: true })
    // The checkout has been installed already.
    if (instruction !== 'RUN' || (text.startsWith('npm install ') && cwd === here('/src'))) continue
    execFileSync('sh', ['-ec', here(text)], { cwd, env, stdio: 'pipe' })
  }
})

test('the image has the hub and what it needs to run, and nothing else', () => {
  const modules = readdirSync(join(folder, 'app/node_modules')).filter((name) => !name.startsWith('.'))
  assert.ok(modules.includes('@downlink'))
  for (const tool of ['typescript', 'esbuild', 'oxlint', 'playwright-core'])
    assert.ok(!modules.includes(tool), tool)
  assert.ok(!existsSync(join(folder, 'app/node_modules/@downlink/hub/src')))
  assert.deepEqual(said('COPY'), ['--from=build /app /app'])
})

test('the image runs as another account than root, with nothing secret in it', () => {
  assert.deepEqual(said('USER'), ['node'])
  const order = image.map(({ instruction }) => instruction)
  assert.ok(order.indexOf('USER') > order.lastIndexOf('RUN'))
  assert.ok(order.indexOf('USER') < order.indexOf('ENTRYPOINT'))
  for (const { instruction, text } of STEPS) {
    assert.notEqual(instruction, 'ADD')
    if (instruction === 'ENV' || instruction === 'ARG')
      assert.match(
        text,
        /^(?:NODE_IMAGE=node:\d+-[\w-]+|NODE_ENV=production|NODE_OPTIONS=--max-old-space-size=\d+)$/,
      )
  }
  assert.deepEqual(said('VOLUME'), ['/data'])
  const ignored = readFileSync(join(deploy, 'Dockerfile.dockerignore'), 'utf8').split('\n')
  for (const path of ['.git', '**/node_modules', 'data']) assert.ok(ignored.includes(path), path)
})

test('what a container starts is healthy, keeps its log on the volume, and ends by the signal that Docker sends, with no init beside it', async (t) => {
  mkdirSync(join(folder, 'data'), { recursive: true })
  const port = String(await freePort())
  const [, ...args] = [...command('ENTRYPOINT'), ...command('CMD')].map((argument) =>
    here(argument).replace('sqlite:/data', `sqlite:${folder}/data`).replace('4080', port),
  )
  const child = start(t, ...asFirst(tools.node24, args), {
    cwd: join(folder, 'data'),
    env: { ...process.env, DOWNLINK_SECRET: randomBytes(32).toString('base64') },
  })
  await child.line((line) => line.includes(`:${port}`))
  assert.equal(health(port), 0)
  assert.equal((await fetch(`http://127.0.0.1:${port}/channels/public.orders`)).status, 200)
  assert.equal((await fetch(`http://127.0.0.1:${port}/channels/orders`)).status, 401)
  assert.ok(existsSync(join(folder, 'data/log.db')))
  assert.deepEqual(said('STOPSIGNAL'), ['SIGTERM'])
  process.kill(firstOf(child.process.pid as number), 'SIGTERM')
  assert.equal(await child.ended, 0)
  assert.equal(health(port), 1)
})

/** What the image's own check says: 0 is healthy. */
function health(port: string): number | null {
  const [, ...parts] = /CMD (\[.*\])$/.exec(said('HEALTHCHECK')[0] ?? '') ?? []
  const [, ...args] = JSON.parse((parts[0] ?? '').replaceAll('4080', port)) as string[]
  return spawnSync(tools.node24, args).status
}

const UNSHARE = [
  '--pid',
  '--fork',
  '--kill-child',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
]
const unshares = spawnSync('unshare', [...UNSHARE, 'true']).status === 0

/** As process 1, for which signals have no defaults, where that may be. */
function asFirst(program: string, args: readonly string[]): [string, readonly string[]] {
  return unshares ? ['unshare', [...UNSHARE, program, ...args]] : [program, args]
}

/** The process that was meant: `unshare` starts it, and passes no signals on. */
function firstOf(pid: number): number {
  return unshares ? Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()) : pid
}
