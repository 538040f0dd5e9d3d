/**
 * `npm run console`: builds the page that the hub serves at `/`, into `packages/hub/pages`, when it is missing or older than what it is
 * made of. `npm start`, `npm test` and `npm run build` call it; where nothing has changed it takes a few milliseconds.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { withLock } from './lock.mjs'
import { root, tools } from './tools.mjs'
import { spawnSync } from 'node:child_process'

const PAGES = join(root, 'packages', 'hub', 'pages')
const PAGE = join(PAGES, 'index.html')
const BUILT = join(root, 'apps', 'console', 'dist')
/** Of what the page was made of. */
const STAMP = join(BUILT, 'inputs.sha256')
/** Bytes, gzipped. */
const MOST = 150_000

const INPUTS = [
  'apps/console/{index.html,package.json,vite.config.ts}',
  'apps/console/{src,build}/**/*.{ts,tsx,css}',
  'packages/{client,wire}/src/**/*.ts',
  'packages/hub/src/lab/*.ts',
  'docs/guide/**/*.md',
  'package-lock.json',
]

/** @throws {Error} when it can't be built; what was wrong has been printed */
export function buildConsole() {
  if (isFresh(stampOf())) return
  // Those that come while another builds find it done.
  withLock(join(root, '.tools', 'console.lock'), () => {
    const stamp = stampOf()
    if (isFresh(stamp)) return
    const started = performance.now()
    const args = [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn']
    if (!existsSync(args[0])) {
      throw new Error('The console is built by Vite, which is not installed: run `npm install`')
    }
    const { status } = spawnSync(tools.node24, args, { cwd: join(root, 'apps', 'console'), stdio: 'inherit' })
    if (status !== 0) throw new Error('The console could not be built')
    const page = readFileSync(join(BUILT, 'index.html'))
    const bytes = gzipSync(page, { level: 9 }).length
    if (bytes > MOST) throw new Error(`The console has ${bytes} bytes gzipped, and ${MOST} are its limit`)
    mkdirSync(PAGES, { recursive: true })
    writeFileSync(`${PAGE}.${process.pid}`, page)
    renameSync(`${PAGE}.${process.pid}`, PAGE)
    writeFileSync(STAMP, stamp)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.error(`The console has been built in ${seconds} s, ${Math.ceil(bytes / 1000)} kB gzipped.`)
  })
}

function isFresh(stamp) {
  return existsSync(PAGE) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp
}

function stampOf() {
  const hash = createHash('sha256')
  for (const path of globSync(INPUTS, { cwd: root }).toSorted()) {
    hash.update(`${path}\0`).update(readFileSync(join(root, path)))
  }
  return hash.digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    buildConsole()
  } catch (error) {
    console.error(`✖ ${error.message}`)
    process.exitCode = 1
  }
}
