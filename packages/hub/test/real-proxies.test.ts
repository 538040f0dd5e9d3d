/** Debian's nginx, HAProxy and Caddy in front of the hub: what passes through them, and what one of them keeps. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { readEventStream } from '@downlink/client'
import { poll, publish, servedHub, stream } from './proxies/behind.ts'
import { type ProgramOptions, programs, startProgram } from './proxies/programs.ts'

const OPENING = 'event: downlink:open'

async function behind(t: TestContext, name: keyof typeof programs, options: ProgramOptions = {}) {
  const { h2c = false } = options
  const { hub, url: direct, accepted } = await servedHub(t, {}, { authorize: () => true, h2c })
  const { url } = await startProgram(t, name, direct, options)
  return { hub, direct, url, accepted }
}

for (const [name, options, how] of [
  ['nginx', {}, ''],
  ['haproxy', {}, ''],
  ['haproxy', { h2c: true }, ', by HTTP/2 to the hub'],
  ['caddy', {}, ''],
  ['caddy', { h2c: true }, ', by HTTP/2 to the hub'],
] as const) {
  describe(`through ${programs[name].name}${how}`, () => {
    test('a stream comes event by event, and the hub hears when its reader leaves', async (t) => {
      const { hub, direct, url } = await behind(t, name, options)
      const reading = stream(t, url)
      await reading.until((text) => text.includes(OPENING))
      for (const data of ['one', 'two']) {
        const id = await publish(direct, data)
        await reading.until((text) => text.includes(`id: ${id}\ndata: ${data}\n`))
      }
      assert.equal(hub.delivery.readers, 1)
      reading.socket.destroy()
      while (hub.delivery.readers > 0) await publish(direct, 'x')
    })

    test('a stream resumes', async (t) => {
      const { url } = await behind(t, name, options)
      const { cursor } = await poll(url)
      await publish(url, 'missed')
      const reading = stream(t, url, '/channels/a', { 'Last-Event-ID': cursor })
      await reading.until((text) => text.includes('data: missed\n'))
    })

    test('a long poll is answered as soon as there is something', async (t) => {
      const { direct, url } = await behind(t, name, options)
      const { cursor } = await poll(url)
      const waiting = fetch(`${url}/channels/a?wait=30&after=${cursor}`)
      await publish(direct, 'one')
      const { events } = (await (await waiting).json()) as { events: { data: string }[] }
      assert.deepEqual(
        events.map(({ data }) => data),
        ['one'],
      )
    })
  })
}

for (const name of ['haproxy', 'caddy'] as const) {
  test(`${programs[name].name} has the streams of many clients on a few connections of HTTP/2 to the hub`, async (t) => {
    const { hub, direct, url, accepted } = await behind(t, name, { h2c: true })
    const before = accepted()
    const readings = Array.from({ length: 150 }, () => stream(t, url))
    await Promise.all(readings.map((reading) => reading.until((text) => text.includes(OPENING))))
    assert.equal(hub.delivery.readers, 150)
    assert.ok(accepted() - before < 10, `${accepted() - before} connections`)
    // A third of them leave at once, as pages do.
    for (const reading of readings.slice(0, 50)) reading.socket.destroy()
    while (hub.delivery.readers > 100) await publish(direct, 'x')
    const id = await publish(direct, 'on')
    await Promise.all(
      readings.slice(50).map((reading) => reading.until((text) => text.includes(`id: ${id}\n`))),
    )
  })
}

test('nginx that heeds no hint passes a stream in blocks of 4 KiB, and its head with the first', async (t) => {
  const running = await behind(t, 'nginx', { ignoresHints: true })
  const { reading, told } = await watched(t, running)
  await told('x'.repeat(3000))
  assert.equal(reading.all, '')
  await told('y'.repeat(3000))
  await reading.until((text) => text.includes('data: yyy'))
  await told('z')
  const body = reading.all.slice(reading.all.indexOf('\r\n\r\n') + 4)
  // The head has taken its part of the first block.
  assert.match(body, /^[e-f][0-9a-f]{2}\r\n[^\r]{3500,4096}\r\n$/)
})

test('nginx that compresses does so with streams, whatever no-transform says, and flushes each event', async (t) => {
  const { direct, url } = await behind(t, 'nginx', { gzip: true })
  const response = await fetch(`${url}/channels/a`, { headers: { accept: 'text/event-stream' } })
  assert.equal(response.headers.get('content-encoding'), 'gzip')
  assert.match(response.headers.get('cache-control') ?? '', /no-transform/)
  const events = readEventStream(response.body)
  t.after(() => events.return())
  assert.equal((await events.next()).value?.type, 'downlink:open')
  for (const data of ['one', 'two']) {
    await publish(direct, data)
    assert.equal((await events.next()).value?.data, data)
  }
})

test('nginx that compresses and heeds no hint keeps a stream to its end', async (t) => {
  const running = await behind(t, 'nginx', { gzip: true, ignoresHints: true })
  const { reading, told } = await watched(t, running, { 'Accept-Encoding': 'gzip' })
  for (let count = 0; count < 20; count++) await told(`${count}`.repeat(1000))
  assert.equal(reading.all, '')
  running.hub.drain()
  await reading.until((text) => text.endsWith('0\r\n\r\n'))
  assert.match(reading.all, /content-encoding: gzip/i)
})

test('Caddy that compresses leaves streams alone', async (t) => {
  const { direct, url } = await behind(t, 'caddy', { gzip: true })
  await publish(direct, 'x'.repeat(5000), 'large')
  const page = await fetch(`${url}/channels/large?transport=poll&after=start`)
  assert.equal(page.headers.get('content-encoding'), 'gzip')
  await page.text()
  const reading = stream(t, url, '/channels/a', { 'Accept-Encoding': 'gzip' })
  await reading.until((text) => text.includes(OPENING))
  assert.doesNotMatch(reading.all, /content-encoding/i)
})

for (const name of ['nginx', 'haproxy'] as const) {
  test(`${programs[name].name} ends a stream that is quiet for longer than it waits, and it looks like an end`, async (t) => {
    const { url } = await behind(t, name, { quietMs: 300 })
    const reading = stream(t, url)
    await reading.until((text) => text.includes(OPENING))
    assert.equal(await reading.how, 'end')
  })
}

/** A stream through a proxy that the hub has begun to answer, and one beside it that says when the proxy has had an event. */
async function watched(
  t: TestContext,
  { hub, direct, url }: Awaited<ReturnType<typeof behind>>,
  headers: Readonly<Record<string, string>> = {},
) {
  const witness = stream(t, direct)
  await witness.until((text) => text.includes(OPENING))
  const reading = stream(t, url, '/channels/a', headers)
  while (hub.delivery.readers < 2) await publish(direct, 'x', 'elsewhere')
  return {
    reading,
    told: async (data: string): Promise<void> => {
      const id = await publish(direct, data)
      await witness.until((text) => text.includes(`id: ${id}\n`))
      for (let turn = 0; turn < 3; turn++) await poll(url, `after=${id}`)
    },
  }
}
