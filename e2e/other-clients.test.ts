/** What others have at hand reads a hub, too: none of these programs has a line of ours. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventSource } from 'eventsource'
import { findCommand, tools } from '../scripts/tools.mjs'
import { startHub } from './helpers/hub.ts'
import { start } from './helpers/process.ts'
import { startRelay } from './helpers/relay.ts'

/** The lines of a stream from its opening to an event published live, which every client below must show. */
function streamLines(start: string, ids: readonly string[]): readonly (string | RegExp)[] {
  return [
    /^retry: \d+$/,
    'event: downlink:open',
    `id: ${start}`,
    'data: {"heartbeat":15000}',
    'event: paid',
    `id: ${ids[0]}`,
    'data: one',
    'data: two',
    `id: ${ids[1]}`,
    'data: …',
  ]
}

function assertLines(lines: readonly string[], wanted: readonly (string | RegExp)[]): void {
  assert.equal(lines.length, wanted.length)
  for (const [i, want] of wanted.entries()) {
    if (typeof want === 'string') assert.equal(lines[i], want)
    else assert.match(lines[i] ?? '', want)
  }
}

const EVENTS = [{ type: 'paid', data: 'one\ntwo' }, { data: '…' }]

const PYTHON = `
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={'Accept': 'text/event-stream'})
with urllib.request.urlopen(request) as stream:
    for line in stream:
        print(line.decode('utf-8').rstrip('\\n'), flush=True)
print('end of stream', flush=True)
`

/** No HTTP client at all: a shell writes a request into a socket and reads lines. HTTP/1.0, so nothing is chunked either. */
const SHELL = String.raw`
exec 3<>/dev/tcp/127.0.0.1/$PORT
printf 'GET /channels/orders?transport=sse HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
while IFS= read -r line <&3; do printf '%s\n' "$line"; done
echo end of stream
`

test('curl -N shows a stream line by line, as it comes', async (t) => {
  const { hub, url } = await startHub(t)
  const curl = start(t, tools.curl, ['-sN', '-H', 'Accept: text/event-stream', `${url}/channels/orders`])
  await curl.firstLines(4)
  const { cursor } = await hub.read('orders')
  const { ids } = await hub.publish('orders', EVENTS)
  assertLines(await curl.firstLines(10), streamLines(cursor, ids))
  await hub.end('orders')
  assert.equal(await curl.ended, 0, curl.said)
})

test('curl -d publishes, and curl alone polls', async (t) => {
  const { url } = await startHub(t)
  const publish = start(t, tools.curl, ['-s', '-d', 'hello', `${url}/channels/orders`])
  assert.equal(await publish.ended, 0, publish.said)
  const { ids } = JSON.parse(publish.lines.join('\n')) as { ids: string[] }
  const poll = start(t, tools.curl, ['-s', `${url}/channels/orders`])
  assert.equal(await poll.ended, 0, poll.said)
  const { events } = JSON.parse(poll.lines.join('\n')) as { events: { id: string; data: string }[] }
  assert.deepEqual(
    events.map(({ id, data }) => ({ id, data })),
    [{ id: ids[0], data: 'hello' }],
  )
})

test("Python's urllib reads a stream line by line, and sees its end", async (t) => {
  const { hub, url } = await startHub(t)
  const python = start(t, tools.python3, ['-u', '-c', PYTHON, `${url}/channels/orders`])
  await python.firstLines(4)
  const { cursor } = await hub.read('orders')
  const { ids } = await hub.publish('orders', EVENTS)
  assertLines(await python.firstLines(10), streamLines(cursor, ids))
  await hub.end('orders')
  await python.line((line) => line === 'end of stream')
  assert.equal(await python.ended, 0, python.said)
})

test('a shell with a socket reads a stream over HTTP/1.0 (P18.2.1)', async (t) => {
  const { hub, port } = await startHub(t)
  const bash = findCommand('bash')
  assert.ok(bash !== undefined, 'bash is on every Debian')
  const shell = start(t, bash, ['-c', SHELL], { env: { ...process.env, PORT: `${port}` } })
  await shell.line((line) => line.startsWith('data: {"heartbeat"'))
  const { cursor } = await hub.read('orders')
  const { ids } = await hub.publish('orders', EVENTS, { end: true })
  await shell.line((line) => line === 'end of stream')
  const body = shell.lines.slice(shell.lines.indexOf('') + 1).filter((line) => line !== '')
  assert.equal(shell.lines[0], 'HTTP/1.1 200 OK')
  assert.ok(!shell.lines.some((line) => /^transfer-encoding/i.test(line)), shell.lines.join('\n'))
  assertLines(body.slice(0, 10), streamLines(cursor, ids))
  assert.deepEqual(body.slice(10), [
    'event: downlink:end',
    `id: ${ids[1]}`,
    'data: {"channel":"orders"}',
    'end of stream',
  ])
})

test('npm eventsource reads, is cut, comes back with its last id, and stops on 204', async (t) => {
  const { hub, port, requests } = await startHub(t)
  await using relay = await startRelay(port)
  const source = new EventSource(`${relay.url}/channels/orders`)
  t.after(() => source.close())
  const seen: { type: string; data: string; lastEventId: string }[] = []
  const take = (event: MessageEvent<string>): void => {
    seen.push({ type: event.type, data: event.data, lastEventId: event.lastEventId })
  }
  for (const type of ['message', 'paid', 'downlink:end']) source.addEventListener(type, take)
  const next = (type: string): Promise<Event> =>
    new Promise((resolve) => source.addEventListener(type, resolve, { once: true }))

  await next('downlink:open')
  const first = next('message')
  const { ids } = await hub.publish('orders', EVENTS)
  await first
  relay.refusing = true
  const lost = next('error')
  relay.cut()
  await lost
  const { ids: missed } = await hub.publish('orders', { data: 'missed' })
  const second = next('message')
  relay.refusing = false
  await second
  assert.equal(requests.at(-1)?.lastEventId, ids[1])

  const closed = new Promise<void>((resolve) => {
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) resolve()
    })
  })
  await hub.end('orders')
  await closed
  assert.deepEqual(seen.slice(0, 3), [
    { type: 'paid', data: 'one\ntwo', lastEventId: ids[0] },
    { type: 'message', data: '…', lastEventId: ids[1] },
    { type: 'message', data: 'missed', lastEventId: missed[0] },
  ])
  assert.deepEqual(
    { type: seen[3]?.type, data: seen[3]?.data },
    { type: 'downlink:end', data: '{"channel":"orders"}' },
  )
  assert.equal(seen.length, 4)
})
