/**
 * Log injection, and what a log must never hold: secrets are put into every place of a request that may have one, to a real
 * `downlink serve` at its most talkative, and its log is searched.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { recordsOf, result, serving } from './cli/command.ts'
import { ask } from './wire-contract/client.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

const SECRET = 'S3CR3T'

/** Each names its secret, so that a failure tells where it came from. */
const REQUESTS: readonly string[] = [
  bytes(`GET /channels/a?ticket=${SECRET}-ticket`),
  bytes(`GET /channels/a?access_token=${SECRET}-access&last=1`),
  bytes(`GET /channels/a?after=${SECRET}-after`),
  bytes(`GET /channels/a?${SECRET}-name=1`),
  bytes(`GET /channels/a%3Fticket=${SECRET}-encoded`),
  bytes(`GET /nowhere?${SECRET}-nowhere`),
  bytes(`GET http://user:${SECRET}-password@localhost/channels/a?x=${SECRET}-absolute`),
  bytes('GET /channels/a', { Authorization: `Bearer ${SECRET}-bearer` }),
  bytes('GET /channels/a', { Cookie: `__Host-downlink=${SECRET}-cookie` }),
  bytes('GET /channels/a', { 'X-Request-Id': `${SECRET}-id`, 'X-Forwarded-For': `${SECRET}-for` }),
  bytes('GET /channels/a', { Forwarded: `for=${SECRET}-forwarded` }),
  bytes('GET /channels/a', { 'Last-Event-ID': `${SECRET}-last` }),
  bytes('GET /channels/a', { 'User-Agent': `${SECRET}-agent`, Referer: `https://x/?${SECRET}-referer` }),
  bytes('GET /channels/a', { Host: `${SECRET}-host.example` }),
  bytes('POST /channels/a', { Origin: `https://${SECRET}-origin.example` }, 'x'),
  bytes('POST /channels/a', { 'Idempotency-Key': `${SECRET} key` }, 'x'),
  bytes('POST /channels/a', { 'Content-Type': `text/plain; charset=${SECRET}-charset` }, 'x'),
  bytes('POST /channels/a', {}, `${SECRET}-data`),
  bytes(`POST /channels/a?type=${SECRET}-type`, {}, `${SECRET}-typed`),
  bytes(
    'POST /channels/a',
    { 'Content-Type': 'application/x-ndjson' },
    `{"data":"${SECRET}-line"}\n${SECRET}-broken`,
  ),
  bytes('POST /channels/$hub', {}, `${SECRET}-refused`),
  bytes('DELETE /channels/a', { Authorization: `Bearer ${SECRET}-delete` }, `${SECRET}-body`),
  bytes(`${SECRET} /channels/a`),
  `GET /channels/a HTTP/1.1\r\nHost: localhost\r\nX: ${SECRET}\x00\r\n\r\n`,
]

test('no secret gets into the log, wherever in a request it stands, at any level', async (t) => {
  const { command, url } = await serving(t, [
    '--port',
    '0',
    '--log-level',
    'debug',
    '--trust-proxy',
    'loopback',
  ])
  for (const request of REQUESTS) {
    using connection = new RawConnection(url)
    await connection.send(request.replace('Host: localhost', 'Connection: close\r\nHost: localhost')).answer()
  }
  command.child.kill('SIGTERM')
  assert.equal(await command.ended, 0)
  const records = recordsOf(command)
  // All but those that Node's parser refuses have been told.
  const told = records.filter(({ msg }) => msg === 'refused' || msg === 'answered').length
  assert.equal(told, REQUESTS.length - 2)
  assert.deepEqual(
    records.filter((record) => JSON.stringify(record).includes('S3CR3T')),
    [],
  )
  for (const { msg, ...record } of records)
    if (msg === 'refused' || msg === 'answered')
      for (const name of Object.keys(record))
        assert.ok(
          ['level', 'time', 'id', 'method', 'path', 'status', 'code', 'address', 'ms'].includes(name),
          name,
        )
})

test('no token, ticket or key gets into the log of a hub with rules, but who asked does', async (t) => {
  const key = randomBytes(32).toString('base64')
  const env = { DOWNLINK_SECRET: key, DOWNLINK_TICKET_SECRET: randomBytes(32).toString('base64') }
  const { command, url } = await serving(t, ['--port', '0', '--log-level', 'debug', '--token-in-url'], {
    env,
  })
  const made = await result(t, ['token', 'make', '--sub', 'ada', '--read', 'mine.**'], '', { env })
  assert.equal(made.code, 0, made.stderr)
  const token = made.stdout.trim()
  const bearer = { authorization: `Bearer ${token}` }
  const { text } = await ask(`${url}/tickets`, { method: 'POST', headers: bearer })
  const { ticket } = JSON.parse(text) as { ticket: string }
  const forged = `${token.slice(0, -6)}AAAAAA`
  const sse = { accept: 'text/event-stream' }
  const { port } = new URL(url)
  for (const [method, path, headers] of [
    ['GET', '/channels/mine.a', bearer],
    ['GET', '/channels/yours', bearer],
    ['POST', '/channels/mine.a', bearer],
    ['DELETE', '/channels/mine.a', bearer],
    ['GET', '/channels/mine.a', { authorization: `Bearer ${forged}` }],
    ['GET', '/channels/mine.a', { authorization: `Basic ${token}` }],
    ['GET', '/channels/mine.a', { authorization: token }],
    ['GET', '/channels/mine.a', { cookie: `__Host-downlink=${token}; downlink=${token}` }],
    ['GET', `/channels/mine.a?access_token=${token}`, {}],
    ['GET', `/channels/mine.a?access_token=${forged}`, {}],
    ['GET', `/channels/mine.a?access_token=${token}&ticket=${ticket}`, sse],
    ['GET', `/channels/yours?ticket=${ticket}`, sse],
    ['GET', `/channels/mine.a?ticket=${ticket.slice(0, -3)}AAA`, sse],
    ['GET', `/channels/mine.a?ticket=${ticket}&ticket=${ticket}`, sse],
    ['GET', `/channels/mine.a?ticket=${token}`, sse],
    ['POST', `/tickets?ticket=${ticket}`, bearer],
    ['POST', `/disconnect?access_token=${token}`, {}],
    ['GET', `http://${token}@localhost:${port}/channels/mine.a`, bearer],
  ] as const) {
    using connection = new RawConnection(url)
    connection.send(bytes(`${method} ${path}`, { Connection: 'close', ...headers }))
    // One of these may open a stream.
    await connection.until((text) => text.includes('\r\n\r\n'))
  }
  using connection = new RawConnection(url)
  connection.send(bytes(`GET /channels/mine.a?ticket=${ticket}`, sse))
  await connection.until((text) => text.includes('downlink:open'))
  command.child.kill('SIGTERM')
  assert.equal(await command.ended, 0)
  const records = recordsOf(command)
  const told = records.filter(({ msg }) => msg === 'refused' || msg === 'answered')
  assert.equal(told.length, 20)
  assert.ok(told.some(({ status, subject }) => status === 200 && subject === 'ada'))
  assert.ok(told.some(({ status, subject }) => status === 403 && subject === 'ada'))
  // All parts of a token: its claims and its signature are no business of a log either.
  const parts = [token, forged, ticket].flatMap((text) => text.split('.')).filter((part) => part !== '')
  for (const secret of [...Object.values(env), ...parts]) assert.ok(!command.stderr.includes(secret), secret)
})

test('nobody writes a line of the log, ends one, or speaks to the terminal of who reads it', async (t) => {
  const { command, url } = await serving(t, ['--port', '0', '--log-level', 'debug'])
  const paths = [
    '/channels/%0d%0a{"level":"error","msg":"forged"}',
    '/channels/"},{"msg":"forged"',
    '/channels/\\","msg":"forged',
    '/channels/%1b[2J%e2%80%a8',
    `/channels/${'x'.repeat(9_000)}`,
  ]
  // As bytes: CSI of one byte, U+2028, a right-to-left override, and half a character. Node's parser takes none of it.
  const raw = '/channels/\x9b31m\xe2\x80\xa8\xe2\x80\xae\xc3'
  for (const path of [...paths, raw]) {
    using connection = new RawConnection(url)
    await connection.send(bytes(`GET ${path}`, { Connection: 'close' })).answer()
  }
  command.child.kill('SIGTERM')
  assert.equal(await command.ended, 0)
  const records = recordsOf(command)
  assert.deepEqual(
    records.map(({ msg }) => msg),
    ['started', ...paths.map(() => 'refused'), 'stopping', 'stopped'],
  )
  assert.match(command.stderr, /^[\x20-\x7e\n]*$/)
  for (const { path } of records) assert.ok(typeof path !== 'string' || path.length <= 203)
})

test('refusals beyond a few a minute are counted, and not written', async (t) => {
  const { command, url } = await serving(t, ['--port', '0'])
  using connection = new RawConnection(url)
  for (let n = 0; n < 200; n++) {
    connection.send(bytes('GET /channels/a', { Host: 'rebound.example' }))
    assert.equal((await connection.answer()).status, 403)
  }
  command.child.kill('SIGTERM')
  assert.equal(await command.ended, 0)
  const records = recordsOf(command)
  assert.equal(records.filter(({ msg }) => msg === 'refused').length, 10)
  const { count, most } = records.find(({ msg }) => msg === 'left out') ?? {}
  assert.deepEqual(
    { count, most },
    { count: 190, most: [{ kind: 'guard', address: '127.0.0.1', count: 190 }] },
  )
})

test('a log that nobody reads holds neither the hub up nor its memory', async (t) => {
  const { command, url } = await serving(t, ['--port', '0', '--log-level', 'debug'])
  // The pipe fills, then the megabyte behind it.
  command.child.stderr.pause()
  using connection = new RawConnection(url)
  const many = 100
  const path = `/channels/${'x'.repeat(190)}`
  for (let round = 0; round < 60; round++) {
    connection.send(bytes(`GET ${path}`).repeat(many))
    for (let n = 0; n < many; n++) assert.equal((await connection.answer()).status, 200)
  }
  command.child.stderr.resume()
  command.child.kill('SIGTERM')
  assert.equal(await command.ended, 0)
  const records = recordsOf(command)
  const { count } = records.find(({ msg }) => msg === 'lines lost') ?? {}
  const told = records.filter(({ msg }) => msg === 'answered').length
  assert.ok(told < 60 * many, 'the test must ask for more than fits')
  assert.ok(told + Number(count) >= 60 * many - 10, `${told} told, ${String(count)} lost`)
})
