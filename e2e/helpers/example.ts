/** An example of the README as a process of its own, and what its users do with it. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { readEventStream, type StreamEvent } from '@downlink/client'
import { parsePage } from '@downlink/wire'
import { tools } from '../../scripts/tools.mjs'
import { type Program, start } from './process.ts'

export const examples = fileURLToPath(new URL('../../examples/', import.meta.url))

const SOURCE = '--conditions=@downlink/source'
const RUN = {
  node: [tools.node24, SOURCE],
  bun: [tools.bun, SOURCE],
  deno: [tools.deno, 'run', SOURCE, '--allow-all'],
} as const

export interface Example {
  readonly program: Program
  readonly url: string
}

/** Starts it on a port that is free, and waits until it says which. */
export async function startExample(
  t: TestContext,
  file: string,
  runtime: keyof typeof RUN = 'node',
  env: Readonly<Record<string, string>> = {},
): Promise<Example> {
  const [command, ...args] = RUN[runtime]
  const program = start(t, command, [...args, file], {
    cwd: examples,
    env: { ...process.env, PORT: '0', ...env },
  })
  return { program, url: await urlOf(program) }
}

/** Each runtime says it in words of its own: `Listening { …, port: 40123 }`, `http://localhost:40123/`. */
export async function urlOf(program: Program): Promise<string> {
  const port = /(?:port: |localhost:)(\d+)/
  return `http://localhost:${port.exec(await program.line((line) => port.test(line)))?.[1]}`
}

/** The events of a stream, without its opening. */
export async function openStream(
  t: TestContext,
  url: string,
): Promise<AsyncGenerator<StreamEvent, void, undefined>> {
  const abort = new AbortController()
  t.after(() => abort.abort())
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  assert.equal(response.headers.get('content-encoding'), null)
  const events = readEventStream(response.body)
  assert.equal((await take(events)).type, 'downlink:open')
  return events
}

export async function take(events: AsyncGenerator<StreamEvent, void, undefined>): Promise<StreamEvent> {
  const { value } = await events.next()
  assert.ok(value !== undefined, 'the stream ended')
  return value
}

export async function poll(url: string): Promise<ReturnType<typeof parsePage>> {
  const response = await fetch(url)
  assert.equal(response.status, 200)
  return parsePage(await response.text())
}

/** A stream and a long poll hear of an order that the app takes; a poll has it afterwards; nobody else may publish. */
export async function assertTellsOrders(t: TestContext, { url }: Example): Promise<void> {
  const channel = `${url}/updates/channels/orders`
  const stream = await openStream(t, channel)
  const { cursor } = await poll(channel)
  const waiting = poll(`${channel}?after=${cursor}&wait=30`)
  const order = '{"item":"tea"}'
  const headers = { 'content-type': 'application/json' }
  const taken = await fetch(`${url}/orders`, { method: 'POST', headers, body: order })
  assert.equal(taken.status, 201)
  const { id } = (await taken.json()) as { id: string }

  const { type, data, lastEventId } = await take(stream)
  assert.deepEqual({ type, data, lastEventId }, { type: 'created', data: order, lastEventId: id })
  for (const page of [await waiting, await poll(`${channel}?after=start`)]) {
    const [event] = page.events
    assert.deepEqual(
      { type: event?.type, data: event?.data, id: event?.id },
      { type: 'created', data: order, id },
    )
  }
  const resumed = await fetch(`${channel}?transport=sse`, { headers: { 'last-event-id': cursor } })
  const again = readEventStream(resumed.body)
  assert.equal((await take(again)).type, 'downlink:open')
  assert.equal((await take(again)).lastEventId, id)
  await again.return()
  // A framework may not know the method at all there.
  const forged = await fetch(channel, { method: 'POST', body: 'forged' })
  assert.ok([401, 405].includes(forged.status), `${forged.status}`)
  assert.equal((await poll(`${channel}?after=${id}`)).events.length, 0)
}
