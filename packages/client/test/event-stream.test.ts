import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { encodeEvent } from '@downlink/wire'
import fc from 'fast-check'
import { readEventStream, WireError } from '../src/index.ts'
import type { EventStreamOptions, StreamEvent } from '../src/index.ts'

/** A real server that answers one fetch with an event stream; gives both ends of it. */
async function connect(
  t: TestContext,
): Promise<{ response: ServerResponse; body: ReadableStream<Uint8Array> }> {
  const server = createServer()
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const asked = once(server, 'request')
  const answered = fetch(`http://127.0.0.1:${port}/`)
  const [, response] = (await asked) as [unknown, ServerResponse]
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  const { body } = await answered
  assert.ok(body)
  return { response, body }
}

async function readAll(
  body: ReadableStream<Uint8Array>,
  options?: EventStreamOptions,
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  for await (const event of readEventStream(body, options)) events.push(event)
  return events
}

/** A body that counts how often it is asked for a chunk, and gives one only when asked. */
function chunked(chunks: readonly string[]) {
  const encoder = new TextEncoder()
  const state = { pulled: 0, cancelled: undefined as unknown }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[state.pulled++]
        if (chunk === undefined) controller.close()
        else controller.enqueue(encoder.encode(chunk))
      },
      cancel(reason) {
        state.cancelled = { reason }
      },
    },
    { highWaterMark: 0 },
  )
  return { state, body }
}

test('reads the events of a response in order, with type, data and id', async (t) => {
  const { response, body } = await connect(t)
  response.end('id: 1\ndata: one\n\nevent: paid\r\ndata: two\r\ndata: lines\r\n\r\n')
  assert.deepEqual(
    (await readAll(body)).map(({ type, data, lastEventId }) => ({ type, data, lastEventId })),
    [
      { type: 'message', data: 'one', lastEventId: '1' },
      { type: 'paid', data: 'two\nlines', lastEventId: '1' },
    ],
  )
})

test('delivers an event as soon as it has come, while the stream stays open', async (t) => {
  const { response, body } = await connect(t)
  const events = readEventStream(body)
  response.write('data: one\n\n')
  assert.equal((await events.next()).value?.data, 'one')
  response.write('data: two\n\n')
  assert.equal((await events.next()).value?.data, 'two')
  response.end()
  assert.equal((await events.next()).done, true)
})

test('reads the same events however the bytes are split', async () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 12 })
    .map((data) => data.replace(/\r\n?/g, '\n').toWellFormed())
  await fc.assert(
    fc.asyncProperty(
      fc.array(text),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      async (data, sizes) => {
        const bytes = new TextEncoder().encode(data.map((item) => encodeEvent({ data: item })).join(''))
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            for (let at = 0; at < bytes.length;) {
              const size = sizes.next().value
              controller.enqueue(bytes.slice(at, at + size))
              at += size
            }
            controller.close()
          },
        })
        assert.deepEqual(
          (await readAll(body)).map((event) => event.data),
          data,
        )
      },
    ),
  )
})

test('leaving the loop closes the connection', async (t) => {
  const { response, body } = await connect(t)
  const closed = once(response, 'close')
  response.write('data: one\n\ndata: two\n\n')
  for await (const event of readEventStream(body)) {
    assert.equal(event.data, 'one')
    break
  }
  await closed
})

test('an error in the loop closes the connection and is the one that is thrown', async (t) => {
  const { response, body } = await connect(t)
  const closed = once(response, 'close')
  response.write('data: one\n\n')
  await assert.rejects(async () => {
    for await (const event of readEventStream(body)) throw new Error(`no use for ${event.data}`)
  }, /no use for one/)
  await closed
})

test('asks for the next chunk only when all events of the last one are taken', async () => {
  const { state, body } = chunked(['data: one\n\ndata: two\n\n', 'data: three\n\n'])
  const events = readEventStream(body)
  assert.equal(state.pulled, 0)
  await events.next()
  await events.next()
  assert.equal(state.pulled, 1)
  assert.equal((await events.next()).value?.data, 'three')
  assert.equal(state.pulled, 2)
})

test('an event that is too large ends the reading, after the events before it', async () => {
  const { state, body } = chunked([`data: one\n\ndata: ${'x'.repeat(100)}`])
  const events = readEventStream(body, { maxEventSize: 50 })
  assert.equal((await events.next()).value?.data, 'one')
  await assert.rejects(
    events.next(),
    (error) => error instanceof WireError && error.code === 'event-too-large',
  )
  assert.ok(state.cancelled)
})

test('shows comments, retry times and ids to those who ask', async (t) => {
  const { response, body } = await connect(t)
  response.end(': hello\nretry: 2500\nid: 7\n\ndata: one\n\n')
  const seen: unknown[] = []
  const events = await readAll(body, {
    onComment: (text) => seen.push(['comment', text]),
    onRetry: (milliseconds) => seen.push(['retry', milliseconds]),
    onId: (id) => seen.push(['id', id]),
  })
  assert.deepEqual(seen, [
    ['comment', 'hello'],
    ['retry', 2500],
    ['id', '7'],
  ])
  assert.equal(events[0]?.lastEventId, '7')
})

test('events have the id it goes on from, until the stream sets one', async (t) => {
  const { response, body } = await connect(t)
  response.end('data: one\n\nid: 8\ndata: two\n\n')
  const events = await readAll(body, { lastEventId: '7' })
  assert.deepEqual(
    events.map((event) => event.lastEventId),
    ['7', '8'],
  )
})

test('an abort ends the reading while it waits, with its reason, and closes the connection', async (t) => {
  const { response, body } = await connect(t)
  const closed = once(response, 'close')
  const controller = new AbortController()
  const events = readEventStream(body, { signal: controller.signal })
  response.write('data: one\n\n')
  await events.next()
  const waiting = events.next()
  const reason = new Error('enough')
  controller.abort(reason)
  await assert.rejects(waiting, (error) => error === reason)
  await closed
})

test('an abort between two events of a chunk comes before the second', async () => {
  const { state, body } = chunked(['data: one\n\ndata: two\n\n'])
  const controller = new AbortController()
  const events = readEventStream(body, { signal: controller.signal })
  await events.next()
  controller.abort()
  await assert.rejects(events.next(), { name: 'AbortError' })
  assert.ok(state.cancelled)
})

test('a signal that is aborted already reads nothing and cancels the body', async () => {
  const { state, body } = chunked(['data: one\n\n'])
  await assert.rejects(readEventStream(body, { signal: AbortSignal.abort() }).next(), { name: 'AbortError' })
  assert.equal(state.pulled, 0)
  assert.ok(state.cancelled)
})

test('a signal that outlives the reading keeps nothing of it', async () => {
  const signal = new AbortController().signal
  const listeners = new Set<unknown>()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners.add(args[1]), add(...args))
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (
    listeners.delete(args[1]),
    remove(...args)
  )
  const { body } = chunked(['data: one\n\n'])
  const events = readEventStream(body, { signal })
  await events.next()
  assert.equal(listeners.size, 1)
  await events.next()
  assert.equal(listeners.size, 0)
})

test('a connection that breaks throws, after the whole events and without the half one', async (t) => {
  const { response, body } = await connect(t)
  const events = readEventStream(body)
  response.write('data: one\n\ndata: tw')
  assert.equal((await events.next()).value?.data, 'one')
  const next = events.next()
  response.destroy()
  await assert.rejects(next)
  assert.equal((await events.next()).done, true)
})

test('an event that the stream did not finish is not delivered', async (t) => {
  const { response, body } = await connect(t)
  response.end('data: one\n\ndata: two\n')
  assert.deepEqual(
    (await readAll(body)).map((event) => event.data),
    ['one'],
  )
})

test('an answer without a body is a stream without events', async () => {
  const { value, done } = await readEventStream(new Response(null, { status: 204 }).body).next()
  assert.deepEqual({ value, done }, { value: undefined, done: true })
})
