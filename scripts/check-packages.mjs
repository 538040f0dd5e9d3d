/**
 * `npm run check:packages`: publint and attw have nothing to say about the packages as they would be published.
 * With the paths of tarballs it takes those, and builds nothing.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { packAll } from './pack.mjs'
import { root, tools } from './tools.mjs'

const given = process.argv.slice(2)
if (given.length > 0) given.forEach(check)
else {
  const folder = mkdtempSync(join(tmpdir(), 'downlink-check-'))
  try {
    for (const { tarball } of packAll(folder)) check(tarball)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function check(tarball) {
  run(tarball, 'publint', ['run', tarball, '--strict'])
  run(tarball, 'attw', [tarball, '--profile', 'esm-only', '--format', 'ascii'])
}

function run(tarball, script, args) {
  const bin = join(root, 'node_modules', '.bin', script)
  const { status, stdout, stderr } = spawnSync(tools.node24, [bin, ...args], { cwd: root, encoding: 'utf8' })
  console.log(`${status === 0 ? '✔' : '✖'} ${basename(tarball)}: ${script}`)
  if (status === 0) return
  console.log(stdout + stderr)
  process.exitCode = 1
}
