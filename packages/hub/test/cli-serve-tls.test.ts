/** `downlink serve` with TLS, and HTTP/2 without. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type SelfSigned, selfSigned } from '../../../e2e/helpers/self-signed.ts'
import { result, run } from './cli/command.ts'
import { folderOf } from './cli/folder.ts'
import { ask } from './wire-contract/client.ts'
import { speakHttp2 } from './wire-contract/http2.ts'

function files(t: TestContext, { cert, key }: SelfSigned = selfSigned()): { cert: string; key: string } {
  const place = folderOf(t)
  const [certFile, keyFile] = [join(place, 'cert.pem'), join(place, 'key.pem')]
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key)
  return { cert: certFile, key: keyFile }
}

async function started(t: TestContext, args: readonly string[]): Promise<string> {
  const command = run(t, ['serve', '--port', '0', ...args])
  await command.until(() => command.stdout.includes('Ctrl-C'))
  return /https?:\/\/\S+:\d+/.exec(command.stdout)?.[0] ?? ''
}

async function answersBoth(t: TestContext, url: string): Promise<void> {
  assert.equal((await ask(`${url}/healthz`)).status, 200)
  t.after(speakHttp2(url))
  const { status, headers } = await ask(`${url}/healthz`)
  assert.deepEqual([status, headers['connection']], [200, undefined])
}

test('--cert and --key: HTTPS with HTTP/1.1 and HTTP/2 on one port, and lines with that URL', async (t) => {
  const { cert, key } = files(t)
  const url = await started(t, ['--log', 'memory', '--cert', cert, '--key', key])
  assert.match(url, /^https:/)
  await answersBoth(t, url)
})

test('the configuration says the same, with paths from its own folder', async (t) => {
  const { cert } = files(t)
  const config = cert.replace('cert.pem', 'config.json')
  writeFileSync(config, JSON.stringify({ log: 'memory', tls: { cert: 'cert.pem', key: 'key.pem' } }))
  await answersBoth(t, await started(t, ['--config', config]))
})

test('--h2c: HTTP/2 and HTTP/1.1 on one plain port', async (t) => {
  const url = await started(t, ['--log', 'memory', '--h2c'])
  assert.match(url, /^http:/)
  await answersBoth(t, url)
})

test('tail and publish of the command line go through TLS', async (t) => {
  const { cert, key } = files(t)
  const url = await started(t, ['--log', 'memory', '--cert', cert, '--key', key])
  const env = { NODE_EXTRA_CA_CERTS: cert }
  const sent = await result(t, ['publish', 'demo', 'hello', '--hub', url], '', { env })
  assert.deepEqual([sent.code, sent.stderr], [0, ''])
  const tail = run(t, ['tail', 'demo', '--last', '1', '--hub', url], { env })
  await tail.until(() => tail.stdout === 'hello\n')
})

test('what can’t be is one clear line', async (t) => {
  const { cert, key } = files(t)
  const other = files(t)
  for (const [args, line] of [
    [['--cert', cert], /^downlink: --cert needs --key: /],
    [['--key', key], /^downlink: --key needs --cert: /],
    [['--cert', cert, '--key', key, '--h2c'], /^downlink: h2c is for a port without TLS/],
    [
      ['--cert', `${cert}x`, '--key', key],
      /^downlink: The file of `tls.cert`, .*cert\.pemx, can't be read \(ENOENT\)/,
    ],
    [
      ['--cert', cert, '--key', other.key],
      /^downlink: Expected a certificate in .*cert\.pem and its own key in .*key\.pem/,
    ],
    [['--cert', key, '--key', key], /^downlink: Expected a certificate in /],
  ] as const) {
    const { code, stderr, stdout } = await result(t, ['serve', '--log', 'memory', '--port', '0', ...args])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, line)
    assert.match(stderr, /^[^\n]+\n$/)
    assert.doesNotMatch(stderr, /BEGIN|PRIVATE/)
  }
})
