import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { consolePage } from '../src/http/console-page.ts'
import { spawnQuietly } from '../../../e2e/helpers/process.ts'
import { messagesOf, result, run, serving } from './cli/command.ts'
import { folderOf } from './cli/folder.ts'

test('prints lines that work when they are pasted', async (t) => {
  const { command, url } = await serving(t, ['--port', '0'])
  const [, publish = ''] = /publish +(.*)/.exec(command.stdout) ?? []
  const [, read = ''] = /read +(.*)/.exec(command.stdout) ?? []
  const [, follow = ''] = /follow +npx downlink (.*)/.exec(command.stdout) ?? []
  const reading = spawnQuietly('sh', ['-c', `exec ${read}`])
  t.after(() => reading.stop())
  await reading.line((line) => line === 'event: downlink:open')
  const following = run(t, [...follow.split(' '), '--last', '1'])
  spawnQuietly('sh', ['-c', publish])
  assert.equal(await reading.line((line) => line.startsWith('data: hello')), 'data: hello')
  await following.until(() => following.stdout === 'hello\n')
  const page = await fetch(/look +(\S+)/.exec(command.stdout)?.[1] ?? '')
  assert.match(await page.text(), /<title>Downlink<\/title>/)
  assert.ok(command.stdout.includes(url))
})

test('listens on both addresses of localhost, where the machine has both', async (t) => {
  const { url } = await serving(t, ['--port', '0'])
  const { port } = new URL(url)
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
  if (await hasIPv6()) assert.equal((await fetch(`http://[::1]:${port}/healthz`)).status, 200)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends streams and waiting long polls as they should end, and the exit code is 0`, async (t) => {
    const { command, url } = await serving(t, ['--port', '0'])
    const { body } = await fetch(`${url}/channels/a`, { headers: { accept: 'text/event-stream' } })
    const reader = body?.getReader()
    await reader?.read()
    const socket = await longPoll(t, new URL(url).port)
    command.child.kill(signal)
    const answer = await textOf(socket)
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(answer, /"events":\[\]/)
    // No error: the stream's end is its own.
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read());
    assert.equal(await command.ended, 0)
    assert.deepEqual(messagesOf(command), ['info started', 'info stopping', 'info stopped'])
  })
}

test('a second signal ends it at once', async (t) => {
  const { command, url } = await serving(t, ['--port', '0'])
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  // A request whose body never comes holds a clean stop up.
  socket.write(
    'POST /channels/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
  )
  await once(socket, 'data')
  command.child.kill('SIGTERM')
  // It takes no new connections: so the first signal has come.
  while (await accepts(Number(port)));
  command.child.kill('SIGINT')
  assert.equal(await command.ended, 'SIGINT')
})

test('a port that is taken is one clear line', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, stderr, stdout } = await result(t, ['serve', '--log', 'memory', '--port', `${port}`])
  assert.equal(code, 1)
  assert.equal(
    stderr,
    `downlink: Port ${port} of localhost is taken: stop what listens there, or choose another --port\n`,
  )
  assert.equal(stdout, '')
})

test('a port that is taken on ::1 only is taken', async (t) => {
  if (!(await hasIPv6())) return t.skip('this machine has no ::1')
  const server = createServer().listen(0, '::1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await result(t, ['serve', '--log', 'memory', '--port', `${port}`])
  assert.equal(code, 1)
  assert.match(stderr, /^downlink: Port \d+ of localhost is taken: [^\n]*\n$/)
})

for (const [args, line] of [
  [['serve', '--port', 'x'], /--port x: Expected a whole number from 0 to 65535/],
  [['serve', '--port'], /argument missing/],
  [['serve', '--prot', '1'], /unknown option '--prot' \(Did you mean --port\?\)/],
  [['serve', '--host', 'a/b'], /--host a\/b: Expected a name or an address/],
  [['serve', '--log', 'redis:x'], /--log redis:x: Expected memory, or sqlite: and the path of a file/],
  [['serve', '--log', 'sqlite:data/'], /--log sqlite:data\/: Expected memory, or sqlite:/],
  [['serve', '--log', 'memory', '--durability', 'os'], /--durability is for a log on disk/],
  [['serve', '--durability', 'much'], /--durability much: .*fsync, os/],
  [['serve', '--retention', 'a'], /--retention a: Expected a rule such as orders\.\*\*=count:1000/],
  [['serve', '--retention', 'a=count:0'], /count:0: Expected a whole number of events, 1 or more, or none/],
  [['serve', '--retention', 'a..b=count:1'], /empty level/],
  [['serve', '--forget', 'soon'], /--forget soon: Expected a time such as 90s/],
  [
    ['serve', '--limit', 'stream=1'],
    /--limit stream=1: Expected a limit such as streams=20000\. There are streams, /,
  ],
  [['serve', '--limit', 'body'], /--limit body: Expected a limit such as/],
  [['serve', '--limit', 'body=big'], /--limit body=big: Expected a size such as 512KB/],
  [['serve', '--log-level', 'all'], /--log-level all: .*silent, error, warn, info, debug/],
  [
    ['serve', '--trust-proxy', 'all'],
    /--trust-proxy all: Expected an address, a network such as 10\.0\.0\.0\/8/,
  ],
  [['serve', '--trust-proxy', '::/0'], /--trust-proxy ::\/0: Expected an address/],
  [['serve', '--forwarded-header', 'via'], /--forwarded-header via: .*x-forwarded-for, forwarded/],
  [
    ['serve', '--log', 'memory', '--forwarded-header', 'forwarded'],
    /--forwarded-header is for proxies that are trusted: say which with --trust-proxy/,
  ],
  [['serve', '--config', 'no-such.json'], /The configuration no-such\.json can't be read: no such file/],
  [
    ['log', 'info', '--log', 'memory'],
    /--log memory: .*only a log on disk can be looked into \(see `downlink log info --help`\)/,
  ],
  [
    ['log', 'info', '--log', 'sqlite:no-such.db'],
    /There is no log at .*no-such\.db: say where it is with --log/,
  ],
  [['log', 'shred'], /unknown command 'shred'/],
  [['log', 'export', '--after', 'now'], /--after now: Expected a cursor: the id of an event/],
  [['serve', '--origin', 'https://a.example/'], /Expected an origin/],
  [['serve', 'here'], /too many arguments/],
  [['frobnicate'], /unknown command 'frobnicate'/],
  [['--frobnicate'], /unknown option '--frobnicate'/],
  [['publish'], /missing required argument 'channel'/],
  [['publish', 'a..b'], /empty level/],
  [['publish', 'a', 'b', 'c'], /too many arguments/],
  [['publish', 'a', 'b', '--hub', 'localhost:1'], /Expected a URL such as http:\/\/localhost:4080/],
  [['tail'], /missing required argument 'channels'/],
  [['tail', 'a', '--transport', 'pigeon'], /--transport pigeon: .*sse, long-poll, poll/],
  [['tail', 'a', '--after', 'start', '--last', '1'], /cannot be used with/],
  [['tail', 'a', '--last', '1001'], /from 0 to 1000/],
  [['tail', 'a', '--after', 'tomorrow'], /--after tomorrow: Expected a cursor/],
] as const) {
  test(`downlink ${args.join(' ')}: one clear line, exit code 1`, async (t) => {
    const { code, stdout, stderr } = await result(t, args)
    assert.equal(code, 1)
    assert.match(stderr, line)
    assert.match(stderr, /^downlink: [^\n]+\n$/)
    assert.equal(stdout, '')
  })
}

test('help and version are told on stdout', async (t) => {
  const manifest = new URL('../package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  assert.deepEqual(await result(t, ['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
  for (const args of [['--help'], ['help'], ['serve', '--help'], ['help', 'publish'], ['tail', '-h']]) {
    const { code, stdout, stderr } = await result(t, args)
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^Usage: downlink/)
  }
})

test('without a command it tells which there are, and fails', async (t) => {
  const { code, stderr } = await result(t, [])
  assert.equal(code, 1)
  assert.match(stderr, /serve [^]*publish [^]*tail /)
})

test('--compress says which streams are sent as gzip', async (t) => {
  const { url } = await serving(t, ['--port', '0', '--compress', 'ticks.**', '--compress', 'news'])
  const codingOf = async (channel: string): Promise<string | null> => {
    const headers = { accept: 'text/event-stream', 'accept-encoding': 'gzip' }
    const { headers: got } = await fetch(`${url}/channels/${channel}`, { method: 'HEAD', headers })
    return got.get('content-encoding')
  }
  assert.deepEqual(await Promise.all(['ticks.a', 'news', 'other'].map(codingOf)), ['gzip', 'gzip', null])
})

test('--page shows a page of one’s own', async (t) => {
  const file = fileURLToPath(new URL('../../../examples/page.html', import.meta.url))
  const { url } = await serving(t, ['--port', '0', '--page', file])
  const answer = await fetch(url)
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(await answer.text(), readFileSync(file, 'utf8'))
})

test('the page comes coded as the client likes, and not again when it has it', async (t) => {
  const { url } = await serving(t, ['--port', '0'])
  const get = async (headers: Record<string, string>): Promise<Response> => fetch(url, { headers })
  const plain = await get({ 'accept-encoding': 'identity' })
  const html = await plain.text()
  assert.equal(html, consolePage().body)
  for (const coding of ['gzip', 'br']) {
    const coded = await get({ 'accept-encoding': coding })
    assert.equal(coded.headers.get('content-encoding'), coding)
    assert.ok(Number(coded.headers.get('content-length')) < 150_000)
    assert.equal(await coded.text(), html)
  }
  const again = await get({ 'if-none-match': plain.headers.get('etag') ?? '' })
  assert.deepEqual([again.status, await again.text()], [304, ''])
})

test('a page that can’t be read is one clear line', async (t) => {
  const { code, stderr } = await result(t, [
    'serve',
    '--log',
    'memory',
    '--port',
    '0',
    '--page',
    'no-such-page.html',
  ])
  assert.deepEqual([code, stderr], [1, "downlink: The page no-such-page.html can't be read: no such file\n"])
})

test('the page runs nothing but its own script and style', () => {
  const policy = String(consolePage().headers['content-security-policy'])
  assert.match(
    policy,
    /default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';/,
  )
  assert.doesNotMatch(policy, /unsafe/)
})

async function hasIPv6(): Promise<boolean> {
  const server = createServer()
  const listening = Promise.withResolvers<boolean>()
  server.once('error', () => listening.resolve(false))
  server.listen(0, '::1', () => listening.resolve(true))
  const has = await listening.promise
  if (has) server.close()
  return has
}

/** A long poll that is certainly waiting. */
async function longPoll(t: TestContext, port: string): Promise<ReturnType<typeof connect>> {
  const socket = connect(Number(port), '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write('GET /channels/a?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let metrics = ''
  while (!metrics.includes('\ndownlink_waiting_long_polls 1\n')) {
    metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  }
  return socket
}

async function textOf(socket: ReturnType<typeof connect>): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const answer = Promise.withResolvers<boolean>()
  socket.once('connect', () => answer.resolve(true))
  socket.once('error', () => answer.resolve(false))
  const accepted = await answer.promise
  socket.destroy()
  return accepted
}

test('a limit by flag goes before that of the file, and others of the file hold', async (t) => {
  const folder = folderOf(t)
  const config = join(folder, 'downlink.json')
  writeFileSync(config, '{"log":"memory","limits":{"body":"1KB","event":"10B","log":"1KB"}}')
  const { url } = await serving(t, ['--port', '0', '--config', config, '--limit', 'event=20B'])
  const publish = async (size: number): Promise<number> =>
    (await fetch(`${url}/channels/a`, { method: 'POST', body: 'x'.repeat(size) })).status
  assert.deepEqual([await publish(20), await publish(21), await publish(1_025)], [200, 413, 413])
  const statuses = []
  for (let n = 0; n < 6; n++) statuses.push(await publish(20))
  assert.deepEqual(statuses, [200, 200, 200, 200, 503, 503])
})
