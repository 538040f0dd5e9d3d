/** What the guide says that each way of reading costs: bytes, counted between Chromium and a real hub. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { useChromium } from './helpers/chromium.ts'
import { readGuide } from './helpers/guide.ts'
import { startHub } from './helpers/hub.ts'

const chromium = useChromium()

interface Counter {
  readonly url: string
  /** All bytes so far, both ways. */
  readonly bytes: () => number
}

async function counting(t: TestContext, port: number): Promise<Counter> {
  let bytes = 0
  const server = createServer((client) => {
    const hub = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, hub],
      [hub, client],
    ] as const) {
      from.on('error', () => {})
      from.on('data', (data) => {
        bytes += data.length
        to.write(data)
      })
      from.on('close', () => to.destroy())
    }
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, bytes: () => bytes }
}

/** The numbers in a row of the table of chapter 2: of polling, long polling, Server-Sent Events. */
function row(name: string): readonly number[] {
  const { text } = readGuide('en').find((chapter) => chapter.name.startsWith('02')) ?? { text: '' }
  const line = text.split('\n').find((one) => one.startsWith(`| ${name}`)) ?? ''
  const cells = line.split('|').slice(2, -1)
  return cells.map((cell) => Number(/[\d,]+/.exec(cell)?.[0].replaceAll(',', '') ?? NaN))
}

function assertNear(actual: number, said: number, what: string): void {
  assert.ok(Math.abs(actual - said) <= said / 4, `${what}: ${actual} bytes, and the guide says ${said}`)
}

test('the bytes of each way are those of the table', async (t) => {
  const { hub, port } = await startHub(t, { delivery: { heartbeatMs: 1000 } })
  const { url, bytes } = await counting(t, port)
  const page = await chromium.open(t, `${url}/`)
  const data = 'x'.repeat(100)
  const publish = () => hub.publish('a', { data })
  /** Bytes until the page has heard; what it waits for is the last thing to cross. */
  const cost = async (script: string): Promise<number> => {
    const before = bytes()
    await page.evaluate(`(async () => { ${script} })()`)
    return bytes() - before
  }
  const ask = (query: string): string => `
    const response = await fetch('/channels/a?after=' + cursor + '${query}')
    cursor = (await response.json()).cursor`
  await publish()
  await page.evaluate('globalThis.cursor = "start"')
  await cost(ask(''))

  await cost(ask(''))
  const emptyPoll = await cost(ask(''))
  await publish()
  const fullPoll = await cost(ask(''))
  const emptyLongPoll = await cost(ask('&wait=1'))
  await publish()
  const fullLongPoll = await cost(ask('&wait=30'))
  const opening = await cost(`
    globalThis.source = new EventSource('/channels/a')
    await new Promise((opened) => source.addEventListener('downlink:open', opened))`)
  await page.evaluate('source.onmessage = () => { globalThis.heard = true }; 0')
  const before = bytes()
  await publish()
  await page.waitForFunction('globalThis.heard')
  const event = bytes() - before
  const quiet = bytes()
  while (bytes() === quiet) await pause(20)
  const heartbeat = bytes() - quiet

  assertNear(opening, row('to begin')[2] ?? NaN, 'to begin a stream')
  const [poll = NaN, long = NaN, stream = NaN] = row('an event')
  assertNear(fullPoll, poll, 'an event by polling')
  assertNear(fullLongPoll, long, 'an event by long polling')
  assertNear(event, stream, 'an event by a stream')
  const [nothing = NaN, waited = NaN, beat = NaN] = row('nothing new')
  assertNear(emptyPoll, nothing, 'a poll for nothing')
  assertNear(emptyLongPoll, waited, 'a long poll for nothing')
  assert.equal(heartbeat, beat)
})

test('what a minute comes to follows from that', () => {
  const [poll = NaN, long = NaN, stream = NaN] = row('an event')
  const [nothing = NaN, waited = NaN, beat = NaN] = row('nothing new')
  const quiet = row('so a quiet minute comes to')
  assertNear(30 * nothing, quiet[0] ?? NaN, 'polls')
  assertNear(2 * waited, quiet[1] ?? NaN, 'long polls')
  assertNear(4 * beat, quiet[2] ?? NaN, 'a stream')
  const busy = row('and one with an event each s')
  assertNear(30 * (poll + 195), busy[0] ?? NaN, 'polls')
  assertNear(60 * long, busy[1] ?? NaN, 'long polls')
  assertNear(60 * stream, busy[2] ?? NaN, 'a stream')
})
