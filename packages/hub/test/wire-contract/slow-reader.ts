/** A reader that takes nothing costs a cursor, not a growing buffer, and never an event. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { createParser } from '@downlink/wire'
import { post } from './client.ts'
import { type Face, fresh, shared, untilCounts } from './face.ts'
import { requestHttp2, speaksHttp2 } from './http2.ts'
import { dial } from './raw.ts'

/** One reader for each: readers of the same form would wait with the same bytes, and cost little even if they were kept. */
const FORMS = [
  'event=channel',
  'fields=channel',
  'fields=time',
  'fields=channel,time',
  'event=channel&fields=channel',
  'event=channel&fields=time',
]
const STALLED = FORMS.length
const EVENTS = 48
const SIZE = 1_000_000

interface Stalled {
  readonly body: Readable
  /** Whether the body begins with the head of an answer. */
  readonly head: boolean
}

async function stall(url: string, channel: string, form: string): Promise<Stalled> {
  const target = `/channels/${channel}?after=now&${form}`
  if (speaksHttp2(url)) {
    const headers = { accept: 'text/event-stream' }
    return { body: await requestHttp2(url + target, { headers }), head: false }
  }
  const { socket } = dial(url)
  socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`)
  await once(socket, 'readable')
  return { body: socket, head: true }
}

/** The ids of the events that come until there are `count` of them, and whether all data was whole. */
async function readOn({ body, head }: Stalled, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  const parser = createParser({
    onEvent({ type, lastEventId, data }) {
      if (type.startsWith('downlink:')) return
      assert.equal(data.length, SIZE)
      ids.push(lastEventId)
    },
  })
  let before = head
  let chunked = false
  const unchunk = new Unchunker((bytes) => parser.feed(bytes))
  for await (const part of body) {
    let bytes = part as Buffer
    if (before) {
      const end = bytes.indexOf('\r\n\r\n')
      chunked = /^transfer-encoding: chunked/im.test(bytes.toString('latin1', 0, end))
      bytes = bytes.subarray(end + 4)
      before = false
    }
    if (chunked) unchunk.feed(bytes)
    else parser.feed(bytes)
    if (ids.length >= count) break
  }
  return ids
}

/** Takes the chunked coding off, without the extensions and trailers that no runtime sends here. */
class Unchunker {
  readonly #give: (bytes: Uint8Array) => void
  #left = 0
  #line = ''

  constructor(give: (bytes: Uint8Array) => void) {
    this.#give = give
  }

  feed(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#left > 0) {
        const part = bytes.subarray(at, at + this.#left)
        this.#give(part)
        this.#left -= part.length
        at += part.length
        continue
      }
      const end = bytes.indexOf(10, at)
      this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end)
      if (end < 0) return
      at = end + 1
      // The line end behind the last chunk's data makes an empty line.
      this.#left = Number.parseInt(this.#line, 16) || 0
      this.#line = ''
    }
  }
}

export function slowReaderFacts(face: Face): void {
  describe('slow readers', () => {
    const hub = shared(face)

    test(
      'P1.2.1 readers that stop reading while 48 MB flow cost no memory, and later get every event',
      { timeout: 60_000 },
      async () => {
        const channel = fresh()
        const url = `${hub.url}/channels/${channel}`
        const before = (await hub.command({ do: 'memory' })) as number
        const stalled = await Promise.all(FORMS.map((form) => stall(hub.url, channel, form)))
        await untilCounts(hub, { readers: STALLED, waiting: 0 })
        const ids: string[] = []
        for (let n = 0; n < EVENTS; n++)
          ids.push(...(await post(url, String.fromCodePoint(97 + (n % 26)).repeat(SIZE))))
        const grown = (((await hub.command({ do: 'memory' })) as number) - before) / 1e6
        // Each stalled reader's 48 MB would come on top of the log's, and of what is garbage by then.
        assert.ok(grown < 48 + STALLED * 36, `the hub grew by ${grown} MB`)
        const [first, second, ...others] = stalled as [Stalled, Stalled, ...Stalled[]]
        for (const { body } of others) body.destroy()
        for (const one of [first, second]) assert.deepEqual(await readOn(one, ids.length), ids)
        await untilCounts(hub, { readers: 0, waiting: 0 })
      },
    )
  })
}
