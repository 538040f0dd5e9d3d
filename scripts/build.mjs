/**
 * `npm run build`: makes the console, and `packages/<name>/dist`, in the order in which the packages need each other.
 *
 * A package is compiled aside and takes its place whole, so a failed build leaves the last good one,
 * and nobody who reads `dist` meanwhile sees half of one.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildConsole } from './console.mjs'
import { root, tools } from './tools.mjs'

/** Each needs only those before it. */
export const packages = ['wire', 'client', 'hub']

/** @returns {boolean} whether all packages could be built; what was wrong has been printed */
export function build() {
  try {
    buildConsole()
  } catch (error) {
    console.error(`✖ ${error.message}`)
    return false
  }
  return packages.every(buildPackage)
}

function buildPackage(name) {
  const folder = join(root, 'packages', name)
  const aside = join(root, '.tools', `build-${process.pid}`, name)
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(aside, { recursive: true })
  try {
    const tsc = join(root, 'node_modules', '.bin', 'tsc')
    const args = [tsc, '-p', join(folder, 'tsconfig.build.json'), '--outDir', join(aside, 'dist')]
    if (spawnSync(tools.node24, args, { cwd: root, stdio: 'inherit' }).status !== 0) {
      console.error(`✖ packages/${name}: does not compile`)
      return false
    }
    const broken = brokenUrls(join(aside, 'dist'), join(folder, 'dist'))
    for (const message of broken) console.error(`✖ packages/${name}/${message}`)
    if (broken.length > 0) return false
    replaceFolder(join(folder, 'dist'), join(aside, 'dist'), join(aside, 'old'))
    console.log(`✔ packages/${name}/dist`)
    return true
  } finally {
    rmSync(dirname(aside), { recursive: true, force: true })
  }
}

function replaceFolder(place, next, old) {
  if (existsSync(place)) renameSync(place, old)
  renameSync(next, place)
}

const URL_OF_FILE = /new URL\(\s*(['"`])(?<path>\.[^\n]*?)\1\s*,\s*import\.meta\.url/g

/**
 * tsc leaves `new URL('./x.ts', import.meta.url)` as it is, and a worker named like that is missing once published.
 * The way to name a worker is by the suffix that this very file has, which is right from source and built:
 *
 *     const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
 *     new Worker(new URL(`./x-worker${suffix}`, import.meta.url))
 *
 * @param {string} dist the built files
 * @param {string} place where they will be, for URLs that lead out of `dist`
 * @returns {string[]} what is wrong, one line each
 */
export function brokenUrls(dist, place = dist) {
  const broken = []
  for (const file of globSync('**/*.js', { cwd: dist })) {
    const text = readFileSync(join(dist, file), 'utf8')
    for (const { groups } of text.matchAll(URL_OF_FILE)) {
      const { path } = groups
      const problem = urlProblem(path.replace(/\$\{suffix\}$/, '.js'), file, dist, place)
      if (problem !== undefined) broken.push(`dist/${file}: new URL('${path}', import.meta.url) ${problem}`)
    }
  }
  return broken
}

function urlProblem(path, file, dist, place) {
  if (/\.[cm]?ts$/.test(path))
    return 'names a .ts file, which is not there once built: see brokenUrls in scripts/build.mjs'
  if (path.includes('${'))
    return "is made from something other than `suffix`, so the build can't tell that the file is there"
  const inside = resolve(dirname(join(dist, file)), path)
  const outside = resolve(dirname(join(place, file)), path)
  return existsSync(inside) || existsSync(outside) ? undefined : 'leads to no file'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = build() ? 0 : 1
