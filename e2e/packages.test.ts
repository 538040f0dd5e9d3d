import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root, tools } from '../scripts/tools.mjs'
import { exec, type Installed, installPacked, listTarball } from './packed.ts'

let installed: Installed
before(async () => {
  installed = await installPacked()
})
after(() => installed?.remove())

const runtimes: [string, readonly string[]][] = [
  ['Node 20', [tools.node20]],
  ['Node 22', [tools.node22]],
  ['Node 24', [tools.node24]],
  ['Bun', [tools.bun, 'run']],
  ['Deno', [tools.deno, 'run', '--allow-net', '--allow-env', '--allow-read']],
]
for (const [name, [command = '', ...args]] of runtimes) {
  test(`the packed wire and client run in ${name}`, async () => {
    const { stdout } = await exec(command, [...args, 'client.mjs'], { cwd: installed.folder })
    assert.deepEqual(JSON.parse(stdout), {
      seen: [
        ['e1-7', 'paid', 'one\ntwo'],
        ['e1-7', 'message', 'ключ'],
      ],
      cursor: { epoch: 'e1', position: 7 },
      refused: 'invalid-cursor',
    })
  })
}

test('strict TypeScript compiles against the packed types, libraries checked', async () => {
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
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  await exec(
    tools.node24,
    [tsc, ...options, '--lib', 'es2022,dom,dom.asynciterable', '--types', '', 'client.ts'],
    {
      cwd: installed.folder,
    },
  )
})

test('a tarball holds what runs, its types, a README and the licence, and nothing else', async () => {
  for (const { name, tarball } of installed.tarballs) {
    const paths = await listTarball(tarball)
    for (const path of ['package.json', 'LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts']) {
      assert.ok(paths.includes(path), `${name} lacks ${path}`)
    }
    const strange = paths.filter(
      (path) => !/^(package\.json|LICENSE|README\.md|dist\/.+\.(js|d\.ts)|bin\/.+\.js|pages\/.+)$/.test(path),
    )
    assert.deepEqual(strange, [], name)
  }
})

test('publint and attw have nothing to say about the packed packages', async () => {
  const script = join(root, 'scripts/check-packages.mjs')
  const tarballs = installed.tarballs.map((pack) => pack.tarball)
  const { status, stdout } = spawnSync(tools.node24, [script, ...tarballs], { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})
