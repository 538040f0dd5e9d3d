/** docs/deploy/downlink.service: systemd takes it, it keeps the hub from the rest of the machine, and its command runs and stops. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { freePort } from '../packages/hub/test/proxies/programs.ts'
import { findCommand, root, tools } from '../scripts/tools.mjs'
import { deploy } from './helpers/front.ts'
import { start } from './helpers/process.ts'

const UNIT = readFileSync(join(deploy, 'downlink.service'), 'utf8')
const analyze = findCommand('systemd-analyze')
const NEEDS_SYSTEMD = analyze === undefined ? 'there is no systemd-analyze here' : false
/** Of 100; the lower the better. What is left: an address on the internet, a JIT, the machine's own file system to read. */
const MOST_EXPOSURE = 15

/** The values of a setting, in order. */
function settings(name: string): readonly string[] {
  return [...UNIT.matchAll(/^(\w+)=(.*)$/gm)]
    .filter(([, one]) => one === name)
    .map(([, , value]) => value as string)
}

function unitFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'downlink-unit-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'downlink.service')
  writeFileSync(file, UNIT.replace('/usr/bin/node', tools.node24))
  return file
}

test('systemd knows each of its settings', { skip: NEEDS_SYSTEMD }, (t) => {
  const { status, stdout, stderr } = spawnSync(analyze as string, ['verify', unitFile(t)], {
    encoding: 'utf8',
  })
  assert.deepEqual({ status, said: stdout + stderr }, { status: 0, said: '' })
})

test('systemd finds little that it leaves open', { skip: NEEDS_SYSTEMD }, (t) => {
  const args = ['security', '--offline=true', '--no-pager', `--threshold=${MOST_EXPOSURE}`, unitFile(t)]
  const { status, stdout, stderr } = spawnSync(analyze as string, args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
})

test('its command runs a hub that keeps its log, and SIGTERM ends it sooner than systemd would kill it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'downlink-service-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const port = await freePort()
  const config = readFileSync(join(deploy, 'config.json'), 'utf8')
  writeFileSync(join(folder, 'config.json'), config.replace('4080', String(port)))
  mkdirSync(join(folder, 'state'))
  const [command = '', ...args] = (settings('ExecStart')[0] ?? '')
    .replace('/usr/bin/node', tools.node24)
    .replace('/opt/downlink/node_modules/@downlink/hub/', join(root, 'packages/hub/'))
    .replace('/etc/downlink/', `${folder}/`)
    .replace('/var/lib/downlink/', `${folder}/state/`)
    .split(' ')
  assert.deepEqual(settings('StateDirectory'), ['downlink'])
  const environment = Object.fromEntries(
    settings('Environment').map((one) => one.split(/=(.*)/s).slice(0, 2)),
  )
  // What stands in the EnvironmentFile.
  const secrets = { DOWNLINK_SECRET: randomBytes(32).toString('base64') }
  const env = { PATH: process.env['PATH'], ...environment, ...secrets }
  const url = `http://localhost:${port}`
  const make = [args[0] as string, 'token', 'make', '--sub', 'backend', '--publish', '**']
  const { stdout } = spawnSync(command, make, { env, encoding: 'utf8' })
  const headers = { authorization: `Bearer ${stdout.trim()}` }

  const hub = start(t, command, args, { cwd: join(folder, 'state'), env })
  await hub.line((line) => line.includes(url))
  const orders = `${url}/channels/public.orders`
  assert.equal((await fetch(orders, { method: 'POST', headers, body: 'kept' })).status, 200)
  assert.equal((await fetch(orders, { method: 'POST', body: 'forged' })).status, 401)
  assert.equal((await fetch(`${url}/channels/user.ann.orders`)).status, 401)
  const stream = await fetch(orders, { headers: { accept: 'text/event-stream' } })
  const waiting = fetch(`${orders}?wait=60`)
  // A request that never comes whole takes the hub's whole grace.
  const half = connect(port, '127.0.0.1')
  t.after(() => half.destroy())
  half.on('error', () => {})
  half.write('GET /channels/public.orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n')
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  const asked = performance.now()
  hub.process.kill('SIGTERM')
  assert.match(await stream.text(), /downlink:open/)
  assert.equal((await waiting).status, 200)
  assert.equal(await hub.ended, 0)
  const took = performance.now() - asked
  const [, seconds] = /^(\d+)s$/.exec(settings('TimeoutStopSec')[0] ?? '') ?? []
  assert.ok(took < (Number(seconds) * 1000) / 2, `${took} ms`)

  const again = start(t, command, args, { cwd: join(folder, 'state'), env })
  await again.line((line) => line.includes(url))
  assert.match(await (await fetch(`${orders}?after=start`)).text(), /"data":"kept"/)
})
