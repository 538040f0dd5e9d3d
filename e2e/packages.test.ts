import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { readManifests } from '../scripts/release.mjs'
import { root, tools } from '../scripts/tools.mjs'
import { exec, type Installed, installPacked, listTarball } from './packed.ts'

let installed: Installed
before(async () => {
  installed = await installPacked()
})
after(() => installed?.remove())

interface Runtime {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}
const node20: Runtime = { name: 'Node 20', command: tools.node20, args: [] }
const node22: Runtime = { name: 'Node 22', command: tools.node22, args: [] }
const node24: Runtime = { name: 'Node 24', command: tools.node24, args: [] }
const bun: Runtime = { name: 'Bun', command: tools.bun, args: ['run'] }
const deno: Runtime = {
  name: 'Deno',
  command: tools.deno,
  args: ['run', '--allow-net', '--allow-env', '--allow-read', '--allow-sys'],
}

/** What a program of `e2e/consumers` prints: one JSON value. */
async function run({ command, args }: Runtime, program: string): Promise<unknown> {
  const { stdout } = await exec(command, [...args, program], { cwd: installed.folder })
  return JSON.parse(stdout)
}

for (const runtime of [node20, node22, node24, bun, deno]) {
  test(`the packed wire and client run in ${runtime.name}`, async () => {
    assert.deepEqual(await run(runtime, 'client.mjs'), {
      seen: [
        ['e1-7', 'paid', 'one\ntwo'],
        ['e1-7', 'message', 'ключ'],
      ],
      told: ['one\ntwo', 'e1-7'],
      stored: ['one\ntwo', 'ключ'],
      shared: ['one\ntwo', 'ключ'],
      cursor: { epoch: 'e1', position: 7 },
      refused: 'invalid-cursor',
    })
  })
}

for (const runtime of [node22, node24]) {
  test(`the packed hub is embedded, served, and read in every way in ${runtime.name}`, async () => {
    const event = { type: 'paid', data: 'one' }
    assert.deepEqual(await run(runtime, 'hub.mjs'), { events: [event, event, event], sameId: true })
  })
}

for (const runtime of [node22, node24]) {
  test(`the packed hub keeps its log in a file in ${runtime.name}, and has it when it is opened again`, async () => {
    assert.deepEqual(await run(runtime, 'hub-sqlite.mjs'), { data: ['one', 'two'], broke: null })
  })
}

for (const runtime of [node22, node24, bun, deno]) {
  test(`the packed hub answers through its fetch face in ${runtime.name}`, async () => {
    assert.deepEqual(await run(runtime, 'hub-fetch.mjs'), {
      type: 'paid',
      data: 'one',
      count: 1,
      sameId: true,
    })
  })
}

/** The `bin` of the packed hub, as npm links it. */
const bin = () => join(installed.folder, 'node_modules', '.bin', 'downlink')

for (const { name, command } of [node22, node24]) {
  test(`the packed downlink says its version in ${name}`, async () => {
    const manifest = join(installed.folder, 'node_modules/@downlink/hub/package.json')
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
    assert.equal((await exec(command, [bin(), '--version'])).stdout.trim(), version)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`the packed downlink serves its page and the channels in ${name}, and ${signal} stops it with 0`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'downlink-served-'))
      t.after(() => rm(folder, { recursive: true, force: true }))
      const hub = spawn(command, [bin(), 'serve', '--port', '0'], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      t.after(() => hub.kill('SIGKILL'))
      const complaints = text(hub.stderr)
      const exited = once(hub, 'exit')
      const url = await printedUrl(hub.stdout)
      const page = await fetch(url)
      assert.equal(page.status, 200)
      assert.match(await page.text(), /EventSource/)
      await fetch(new URL('channels/orders', url), { method: 'POST', body: 'one' })
      const polled = await fetch(new URL('channels/orders?transport=poll&after=start', url))
      const { events } = (await polled.json()) as { events: { data: string }[] }
      assert.deepEqual(
        events.map((event) => event.data),
        ['one'],
      )
      hub.kill(signal)
      assert.deepEqual(await exited, [0, null])
      // Its log and nothing else: Node 22 calls its SQLite experimental, and nobody needs to hear it.
      const lines = (await complaints).trim().split('\n')
      assert.deepEqual(
        lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
        ['started', 'stopping', 'stopped'],
      )
      const verified = await exec(command, [bin(), 'log', 'verify'], { cwd: folder })
      assert.deepEqual([verified.stdout, verified.stderr], ['ok: 1 channel, 1 event\n', ''])
    })
  }
}

test('the packed downlink refuses an old Node with one sentence', async () => {
  const failure = await exec(tools.node20, [bin(), 'serve']).then(
    () => assert.fail('it ran'),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
  assert.equal(failure.code, 1)
  assert.equal(failure.stdout, '')
  assert.match(failure.stderr, /^downlink needs Node\.js 22\.18 or newer, and this is v20\.\S+: https:\S+\n$/)
})

/** The address in what a program prints first; what it prints later is read, so that it never meets a closed pipe. */
function printedUrl(output: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    output.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk
      const url = /http:\/\/[^\s'"]+(?=\s)/.exec(printed)?.[0]
      if (url !== undefined) resolve(new URL('/', url).href)
    })
    output.on('end', () => reject(new Error(`It ended, and printed no address: ${printed}`)))
  })
}

for (const file of ['client.ts', 'hub.ts']) {
  test(`strict TypeScript compiles ${file} against the packed types, libraries checked`, async () => {
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--skipLibCheck',
      'false',
    ]
    const libraries = ['--lib', 'es2024,esnext.disposable,dom,dom.iterable,dom.asynciterable']
    const types = [
      '--typeRoots',
      join(root, 'node_modules/@types'),
      '--types',
      file === 'hub.ts' ? 'node' : '',
    ]
    const tsc = join(root, 'node_modules', '.bin', 'tsc')
    const { status, stdout } = spawnSync(tools.node24, [tsc, ...options, ...libraries, ...types, file], {
      cwd: installed.folder,
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout)
  })
}

test('a tarball holds what runs, its types, a README and the licence, and nothing else', async () => {
  for (const { name, tarball } of installed.tarballs) {
    const paths = await listTarball(tarball)
    for (const path of ['package.json', 'LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts']) {
      assert.ok(paths.includes(path), `${name} lacks ${path}`)
    }
    const strange = paths.filter(
      (path) =>
        !/^((?:package|config\.schema)\.json|LICENSE|README\.md|dist\/.+\.(js|d\.ts)|bin\/.+\.js|pages\/.+)$/.test(
          path,
        ),
    )
    assert.deepEqual(strange, [], name)
  }
})

test('the packed hooks are for React alone: the client needs it no more than its types do', async () => {
  const folder = join(installed.folder, 'node_modules')
  const react = await readFile(join(folder, '@downlink/client/dist/react.js'), 'utf8')
  // What a server component imports is then a part of the page, and not of the server.
  assert.match(react, /^'use client'/)
  await assert.rejects(readFile(join(folder, 'react/package.json')), { code: 'ENOENT' })
})

test('publint and attw have nothing to say about the packed packages', async () => {
  const script = join(root, 'scripts/check-packages.mjs')
  const tarballs = installed.tarballs.map((pack) => pack.tarball)
  const { status, stdout } = spawnSync(tools.node24, [script, ...tarballs], { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})

test('the bill of materials has all that a user gets, with version, licence and hash, and no place of this machine', async () => {
  const file = join(installed.folder, 'bill.json')
  const tarballs = installed.tarballs.map(({ tarball }) => tarball)
  await exec(tools.node24, [join(root, 'scripts/sbom.mjs'), file, ...tarballs])
  const bill = await readFile(file, 'utf8')
  const { components } = JSON.parse(bill) as {
    components: { name: string; version: string; licenses?: unknown[]; hashes?: unknown[] }[]
  }
  const found = Object.fromEntries(components.map(({ name, version }) => [name, version]))
  const needed = readManifests().flatMap(({ name, version, dependencies }) =>
    Object.entries({ [name]: version, ...dependencies }),
  )
  for (const [name, version] of needed) assert.equal(found[name], version, name)
  for (const { name, licenses, hashes } of components) {
    assert.deepEqual({ licences: licenses?.length, hashes: hashes?.length }, { licences: 1, hashes: 1 }, name)
  }
  assert.deepEqual(
    ['typescript', 'esbuild', 'express'].filter((name) => name in found),
    [],
  )
  assert.ok(!bill.includes(tmpdir()) && !bill.includes('file:'))
})
