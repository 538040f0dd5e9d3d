import assert from 'node:assert/strict'
import test from 'node:test'
import { randomOf, seedOf } from '../../../e2e/helpers/random.ts'
import { startRelay } from '../../../e2e/helpers/relay.ts'
import { result, run } from './cli/command.ts'
import { dataOf, startHub, startHubBehind, untilThere } from './cli/hub.ts'

const numbers = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `line ${index + 1}`)

test('an argument is one event, whatever is in it, and nothing is printed', async (t) => {
  const { hub, url } = await startHub(t)
  const args = ['publish', 'a,b', 'two\nlines', '--type', 'paid', '--hub', url]
  assert.deepEqual(await result(t, args), { code: 0, stdout: '', stderr: '' })
  const { events } = await hub.read(['a', 'b'])
  assert.deepEqual(
    events.map(({ channel, type, data }) => [channel, type, data]),
    [
      ['a', 'paid', 'two\nlines'],
      ['b', 'paid', 'two\nlines'],
    ],
  )
})

test('--verbose prints the id of each event, and DOWNLINK_URL says where the hub is', async (t) => {
  const { hub, url } = await startHub(t)
  const command = run(t, ['publish', 'a', '--verbose'], { env: { DOWNLINK_URL: url } })
  command.child.stdin.end('one\ntwo\n')
  assert.equal(await command.ended, 0)
  const { events } = await hub.read('a')
  assert.deepEqual(
    command.lines,
    events.map(({ id }) => id),
  )
  assert.equal(events.length, 2)
})

test('each line is an event as soon as it comes, empty ones too, and the last one without a line end', async (t) => {
  const { hub, url } = await startHub(t)
  const command = run(t, ['publish', 'a', '--hub', url])
  command.child.stdin.write('first\n')
  await untilThere(hub, 'a', 1)
  command.child.stdin.write('\nsecond\r\nthi')
  await untilThere(hub, 'a', 3)
  command.child.stdin.end('rd')
  assert.equal(await command.ended, 0)
  assert.deepEqual(await dataOf(hub, 'a'), ['first', '', 'second', 'third'])
})

test('as fast as the hub lets it, which is said once', async (t) => {
  const limits = { publishesPerSubject: 1_000 }
  const { hub, url } = await startHub(t, { limits }, { authorize: () => ({ subject: 'ann' }) })
  const lines = numbers(4_500)
  const { code, stderr } = await result(t, ['publish', 'a', '--hub', url], lines.join('\n'))
  assert.equal(code, 0)
  assert.match(
    stderr,
    /^downlink: You may publish 1000 events a second: come back in \d s \(429 too-fast\): going no faster than that\n$/,
  )
  assert.deepEqual(await dataOf(hub, 'a'), lines)
  assert.ok(hub.limited.of('publishes-per-subject') > 0)
})

test('lines keep their order, and what arrives during a request goes together in the next', async (t) => {
  let requests = 0
  const { hub, url } = await startHubBehind(t, () => {
    requests++
    return false
  })
  const lines = numbers(8_000)
  const { code } = await result(t, ['publish', 'a', '--hub', url], lines.join('\n'))
  assert.equal(code, 0)
  assert.deepEqual(await dataOf(hub, 'a'), lines)
  assert.ok(requests >= 8 && requests < 100, `${requests} requests`)
})

test('waits for a hub that is away, says so once, and then publishes all of it', async (t) => {
  const { hub, port, url } = await startHub(t)
  const relay = await startRelay(port)
  t.after(() => relay[Symbol.asyncDispose]())
  relay.refusing = true
  const command = run(t, ['publish', 'a', '--hub', relay.url])
  command.child.stdin.end('one\ntwo')
  await command.until(() => command.stderr !== '')
  relay.refusing = false
  assert.equal(await command.ended, 0)
  assert.deepEqual(await dataOf(hub, 'a'), ['one', 'two'])
  assert.match(
    command.stderr,
    /^downlink: No hub answers at [^\n]*: trying again until it works\ndownlink: The hub is there again\n$/,
  )
  assert.notEqual(url, relay.url)
})

test('P10.1.4: answers that are cut in the middle neither lose a line nor repeat one', async (t) => {
  const random = randomOf(seedOf(t))
  const { hub, port } = await startHub(t)
  const relay = await startRelay(port)
  t.after(() => relay[Symbol.asyncDispose]())
  // The request gets through, and the answer breaks off: nobody can know whether it was stored, but for the key. Every second
  // connection lives longer, for one answer or two.
  relay.lifetime = () => Math.floor(relay.accepted % 2 === 1 ? random() * 400 : 18_000 + random() * 10_000)
  const lines = numbers(6_000)
  const { code } = await result(t, ['publish', 'a', '--hub', relay.url], lines.join('\n'))
  assert.equal(code, 0)
  assert.ok(relay.accepted > 3, `${relay.accepted} connections`)
  assert.deepEqual(await dataOf(hub, 'a'), lines)
})

test('P14.1.2: temporary refusals are tried again, and Retry-After is respected', async (t) => {
  const refusals = [
    { status: 503, after: '1' },
    { status: 429, after: '0' },
    { status: 408, after: '0' },
    { status: 502, after: '0' },
  ]
  const times: number[] = []
  const keys = new Set<unknown>()
  const { hub, url } = await startHubBehind(t, (req, res) => {
    times.push(performance.now())
    keys.add(req.headers['idempotency-key'])
    const refusal = refusals.shift()
    if (refusal === undefined) return false
    res.writeHead(refusal.status, { 'retry-after': refusal.after }).end('<h1>Not now</h1>')
    return true
  })
  const { code } = await result(t, ['publish', 'a', 'x', '--hub', url])
  assert.equal(code, 0)
  assert.deepEqual(await dataOf(hub, 'a'), ['x'])
  assert.equal(times.length, 5)
  assert.equal(keys.size, 1)
  // A timer may fire a millisecond early.
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 990)
})

test('a batch that is too large for this hub is cut until it fits', async (t) => {
  const { hub, url } = await startHub(t, {}, { bodyLimit: 1_000 })
  const lines = numbers(2_000)
  const { code, stderr } = await result(t, ['publish', 'a', '--hub', url], lines.join('\n'))
  assert.deepEqual([code, stderr], [0, ''])
  assert.deepEqual(await dataOf(hub, 'a'), lines)
})

test('a line that is too large for the hub is told with its number, and what was before it is published', async (t) => {
  const { hub, url } = await startHub(t)
  const limit = 1024 * 1024
  const fits = 'x'.repeat(limit)
  const { code, stderr } = await result(t, ['publish', 'a', '--hub', url], `one\n${fits}\n${fits}y\nlast\n`)
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^downlink: Line 3 of standard input: .*1048576 bytes.*The lines before it are published\n$/,
  )
  assert.deepEqual(await dataOf(hub, 'a'), ['one', fits])
})

test('P9.3.3: a wrong line of NDJSON is told by its number in the input, and what was before it is published', async (t) => {
  const { hub, url } = await startHub(t)
  const good = numbers(1_500).map((data) => JSON.stringify({ data }))
  const input = ['{"data":{"n":1},"type":"paid"}', '', ...good, '{"dat":1}', '{"data":"after"}'].join('\n')
  const { code, stderr } = await result(t, ['publish', 'a', '--ndjson', '--hub', url], input)
  assert.equal(code, 1)
  assert.match(stderr, /^downlink: Line 1503 of standard input: .*dat.*The lines before it are published\n$/)
  const data = await dataOf(hub, 'a')
  assert.deepEqual(data, ['{"n":1}', ...numbers(1_500)])
  assert.equal((await hub.read('a', { after: 'start', limit: 1 })).events[0]?.type, 'paid')
})

test('bytes that are not UTF-8 are told of once, and published as U+FFFD; in NDJSON they are an error', async (t) => {
  const { hub, url } = await startHub(t)
  const input = Buffer.from('ok\nb\xe9d\n\xff\n', 'latin1')
  const { code, stderr } = await result(t, ['publish', 'a', '--hub', url], input)
  assert.equal(code, 0)
  assert.equal(stderr, "downlink: Line 2 is not UTF-8: what can't be read is published as U+FFFD\n")
  assert.deepEqual(await dataOf(hub, 'a'), ['ok', 'b\ufffdd', '\ufffd'])
  const json = Buffer.from('{"data":"ok"}\n{"data":"\xff"}\n', 'latin1')
  const refused = await result(t, ['publish', 'b', '--ndjson', '--hub', url], json)
  assert.deepEqual(refused, {
    code: 1,
    stdout: '',
    stderr: 'downlink: Line 2 of standard input is not UTF-8, as JSON must be\n',
  })
  assert.deepEqual(await dataOf(hub, 'b'), ['ok'])
})

test('--end ends the channel after the last line', async (t) => {
  const { hub, url } = await startHub(t)
  const { code } = await result(t, ['publish', 'a', '--end', '--hub', url], 'one\ntwo\n')
  assert.equal(code, 0)
  const { events, ended } = await hub.read('a')
  assert.deepEqual([events.map(({ data }) => data), ended], [['one', 'two'], ['a']])
})

test('lasting refusals are one line with the hub’s own words', async (t) => {
  const { hub, url } = await startHub(
    t,
    {},
    { authorize: (request) => request.header('authorization') === 'Bearer yes' },
  )
  await hub.end('ended')
  const yes = ['--header', 'Authorization: Bearer yes', '--hub', url]
  for (const [args, line] of [
    [['publish', 'a', 'x', '--hub', url], /say who you are.*401 unauthorized/],
    [['publish', 'a', 'x', '--hub', url, '-H', 'Authorization: Bearer no'], /403 forbidden/],
    [['publish', 'ended', 'x', ...yes], /ended has ended.*409 channel-ended/],
    [['publish', '$mine', 'x', ...yes], /403 reserved-channel/],
    [['publish', 'a', 'x', ...yes.slice(0, 3), `${url}/elsewhere`], /404 not-found/],
  ] as const) {
    const { code, stdout, stderr } = await result(t, args)
    assert.deepEqual([code, stdout], [1, ''], args.join(' '))
    assert.match(stderr, /^downlink: [^\n]+\n$/)
    assert.match(stderr, line)
  }
  assert.equal((await result(t, ['publish', 'a', 'x', ...yes])).code, 0)
})

test('what is no hub is told apart from one', async (t) => {
  const { url } = await startHubBehind(t, (req, res) => {
    if (req.url === '/moved/channels/a') res.writeHead(302, { location: '/here' }).end()
    else res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')
    return true
  })
  const { code, stderr } = await result(t, ['publish', 'a', 'x', '--hub', url])
  assert.deepEqual([code, stderr], [1, `downlink: What answers at ${url} is no hub\n`])
  const moved = await result(t, ['publish', 'a', 'x', '--hub', `${url}/moved`])
  assert.equal(moved.code, 1)
  assert.match(moved.stderr, /^downlink: \S+ sends elsewhere: give --hub as in \/here\n$/)
})

test('after SIGINT what was read is published, but no half line', async (t) => {
  const held = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const { hub, url } = await startHub(
    t,
    {},
    {
      authorize: async () => {
        held.resolve()
        await release.promise
        return true
      },
    },
  )
  const command = run(t, ['publish', 'a', '--hub', url])
  const lines = numbers(1_500)
  command.child.stdin.write(`${lines.join('\n')}\nhalf`)
  await held.promise
  command.child.kill('SIGINT')
  release.resolve()
  assert.equal(await command.ended, 130)
  assert.deepEqual(await dataOf(hub, 'a'), lines)
})

test('a second signal ends it although the hub is away', async (t) => {
  // Signals that are sent at once may come in any order: the second waits until the first has been heard.
  const heard = "process.once('SIGINT',()=>console.error('heard'))"
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(heard)}` }
  const command = run(t, ['publish', 'a', 'x', '--hub', 'http://127.0.0.1:1'], { env })
  await command.until(() => command.stderr.includes('trying again'))
  command.child.kill('SIGINT')
  await command.until(() => command.stderr.includes('heard'))
  command.child.kill('SIGTERM')
  assert.equal(await command.ended, 'SIGTERM')
})
