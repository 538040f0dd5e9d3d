/** curl on HTTP/2: another client than Node's, with another idea of what is normal. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { spawnQuietly } from '../../../e2e/helpers/process.ts'
import { selfSigned } from '../../../e2e/helpers/self-signed.ts'
import { tools } from '../../../scripts/tools.mjs'
import { type HubServerOptions, serveHub } from '../src/http/server.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { folderOf } from './cli/folder.ts'

const speaks = execFileSync(tools.curl, ['--version'], { encoding: 'utf8' }).includes('HTTP2')
const skip = speaks ? false : 'this curl speaks no HTTP/2'

async function served(t: TestContext, options: HubServerOptions): Promise<{ hub: Hub; url: string }> {
  const hub = createHub()
  const own = await serveHub(hub, { host: '127.0.0.1', ...options })
  t.after(async () => {
    await own.stop()
    await hub.close()
  })
  return { hub, url: own.url }
}

for (const [name, options, args, version] of [
  ['--http2 over TLS', { tls: selfSigned() }, ['--http2', '-k'], '2'],
  ['--http1.1 over TLS', { tls: selfSigned() }, ['--http1.1', '-k'], '1.1'],
  ['--http2-prior-knowledge', { h2c: true }, ['--http2-prior-knowledge'], '2'],
  // It asks for an upgrade, which is ignored (P18.1.5).
  ['--http2 without TLS', { h2c: true }, ['--http2'], '1.1'],
] as const) {
  test(`curl ${name}: publish, poll, long poll, HEAD and stream`, { skip }, async (t) => {
    const { hub, url } = await served(t, options)
    const curl = async (path: string, ...more: string[]): Promise<string> => {
      const run = spawnQuietly(tools.curl, [
        '-sS',
        '-w',
        '\n%{http_version} %{http_code}',
        ...args,
        ...more,
        url + path,
      ])
      t.after(() => run.stop())
      await run.ended
      return run.lines.join('\n')
    }
    const folder = folderOf(t)
    const file = (name: string, size: number): string => {
      const path = join(folder, name)
      writeFileSync(path, 'x'.repeat(size))
      return path
    }
    assert.match(await curl('/channels/x', '-d', 'hello'), new RegExp(`"ids"[^]*\n${version} 200$`))
    assert.match(
      await curl('/channels/x', '--data-binary', `@${file('large', 500_000)}`),
      new RegExp(`\n${version} 200$`),
    )
    assert.match(await curl('/channels/x?limit=1&after=start'), new RegExp(`"hello"[^]*\n${version} 200$`))
    assert.match(await curl('/channels/x', '-I'), new RegExp(`${version} 200$`))
    assert.match(await curl('/nowhere'), new RegExp(`"not-found"[^]*\n${version} 404$`))
    assert.match(
      await curl('/channels/x', '--data-binary', `@${file('huge', 2_000_000)}`),
      new RegExp(`"body-too-large"[^]*\n${version} 413$`),
    )
    const waiting = curl('/channels/later?wait=60')
    while (hub.delivery.waiting < 1) await new Promise((resolve) => setTimeout(resolve, 5))
    await hub.publish('later', { data: 'now' })
    assert.match(await waiting, new RegExp(`"now"[^]*\n${version} 200$`))
    const following = curl('/channels/ending', '-N', '-H', 'Accept: text/event-stream')
    while (hub.delivery.readers < 1) await new Promise((resolve) => setTimeout(resolve, 5))
    await hub.publish('ending', { data: 'last' }, { end: true })
    assert.match(await following, new RegExp(`data: last\n\nevent: downlink:end\n[^]*\n${version} 200$`))
  })
}
