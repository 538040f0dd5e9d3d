/**
 * `npm run sbom [-- FILE [TARBALL…]]`: a bill of materials (CycloneDX, JSON) of what comes with `npm install @downlink/hub`: the
 * packages as they would be published, and all that they bring along. To FILE, else to `sbom.cdx.json`. With the paths of tarballs it
 * takes those, and builds nothing.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { packAll } from './pack.mjs'
import { root } from './tools.mjs'

const [target = 'sbom.cdx.json', ...given] = process.argv.slice(2)
const file = resolve(target)
const folder = mkdtempSync(join(tmpdir(), 'downlink-sbom-'))
try {
  // npm calls the whole by the name of its folder.
  const whole = join(folder, 'downlink')
  mkdirSync(whole)
  const tarballs =
    given.length > 0 ? given.map((path) => resolve(path)) : packAll(folder).map(({ tarball }) => tarball)
  writeFileSync(
    join(whole, 'package.json'),
    JSON.stringify({ name: 'downlink', version: versionOf('hub'), private: true }),
  )
  const quiet = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  run(whole, ['install', ...quiet, ...tarballs])
  const bill = JSON.parse(run(whole, ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev']))
  for (const component of bill.components) component.externalReferences &&= onlyPublic(component)
  writeFileSync(file, `${JSON.stringify(bill, undefined, 2)}\n`)
  console.log(`${file}: ${bill.components.length} packages`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).version
}

/** Where this machine got them from is nobody's business, and not where others do. */
function onlyPublic({ externalReferences }) {
  return externalReferences.filter(({ type }) => type !== 'distribution')
}

function run(cwd, args) {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 26,
  })
}
