/** `npm run check:packages`: publint and attw have nothing to say about the packages as they would be published. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAll } from './pack.mjs'
import { root, tools } from './tools.mjs'

const folder = mkdtempSync(join(tmpdir(), 'downlink-check-'))
try {
  for (const { name, tarball } of packAll(folder)) {
    check(name, 'publint', ['run', tarball, '--strict'])
    check(name, 'attw', [tarball, '--profile', 'esm-only', '--format', 'ascii'])
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function check(name, script, args) {
  const bin = join(root, 'node_modules', '.bin', script)
  const { status, stdout, stderr } = spawnSync(tools.node24, [bin, ...args], { cwd: root, encoding: 'utf8' })
  console.log(`${status === 0 ? '✔' : '✖'} ${name}: ${script}`)
  if (status === 0) return
  console.log(stdout + stderr)
  process.exitCode = 1
}
