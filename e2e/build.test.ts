import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { brokenUrls } from '../scripts/build.mjs'
import { root, tools } from '../scripts/tools.mjs'
import { exec } from './packed.ts'

async function folderWith(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'downlink-build-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

const WORKER_BY_SUFFIX = `import { Worker } from 'node:worker_threads'
const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const worker = new Worker(new URL(\`./echo-worker\${suffix}\`, import.meta.url))
worker.once('message', (message: string) => console.log(message))
`

test('a worker named by the suffix of import.meta.url runs from source and built', async (t) => {
  const folder = await folderWith(t, {
    'package.json': '{ "type": "module" }',
    'src/main.ts': WORKER_BY_SUFFIX,
    'src/echo-worker.ts': `import { parentPort } from 'node:worker_threads'\nparentPort?.postMessage('alive' as string)\n`,
  })
  const options = [
    '--rewriteRelativeImportExtensions',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--strict',
  ]
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
  const paths = ['--rootDir', 'src', '--outDir', 'dist', 'src/main.ts', 'src/echo-worker.ts']
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  await exec(tools.node24, [tsc, ...options, ...types, ...paths], { cwd: folder })

  assert.deepEqual(brokenUrls(join(folder, 'dist')), [])
  for (const main of ['src/main.ts', 'dist/main.js']) {
    const { stdout } = await exec(tools.node24, [join(folder, main)])
    assert.equal(stdout, 'alive\n', main)
  }
})

test('the build refuses a URL of a file that will not be there', async (t) => {
  const folder = await folderWith(t, {
    'dist/there.js': '',
    'dist/main.js': `
      new URL('./x-worker.ts', import.meta.url)
      new URL(\`./y-worker\${suffix}\`, import.meta.url)
      new URL(\`./z-worker\${other}\`, import.meta.url)
      new URL("../pages/gone.html", import.meta.url)
      new URL(\`./there\${suffix}\`, import.meta.url)
      new URL('./there.js', import.meta.url)
      new URL('./anything.ts', 'http://localhost/')`,
  })
  assert.deepEqual(
    brokenUrls(join(folder, 'dist')).map((line) => line.replace(/, import.*?\)/, ')')),
    [
      "dist/main.js: new URL('./x-worker.ts') names a .ts file, which is not there once built: see brokenUrls in scripts/build.mjs",
      "dist/main.js: new URL('./y-worker${suffix}') leads to no file",
      "dist/main.js: new URL('./z-worker${other}') is made from something other than `suffix`, so the build can't tell that the file is there",
      "dist/main.js: new URL('../pages/gone.html') leads to no file",
    ],
  )
})
