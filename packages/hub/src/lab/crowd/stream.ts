/** A client as a browser's EventSource: one stream, and back at its cursor when that breaks. */
import type { Transform } from 'node:stream'
import { createParser, type Parser } from '@downlink/wire'
import { decoder } from './coding.ts'
import { Exchange } from './exchange.ts'
import { type Group, Member } from './group.ts'
import type { AnswerHead } from './response-reader.ts'

const HEADERS = [
  ['Accept', 'text/event-stream'],
  ['Cache-Control', 'no-cache'],
] as const
/** Until the hub says otherwise; that of browsers. */
const RETRY_MS = 3_000

export class Streamer extends Member {
  readonly #exchange: Exchange
  #lastEventId = ''
  #retry = RETRY_MS
  #timer: NodeJS.Timeout | undefined
  /** Whether the stream that is open has brought an event. */
  #brought = false

  constructor(group: Group) {
    super(group)
    this.#exchange = new Exchange(group.plan, group.tally)
  }

  start(): void {
    this.#open()
  }

  get begun(): boolean {
    return this.#exchange.tried
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#exchange.close()
  }

  #open(): void {
    const { plan, tally, closing } = this.group
    if (closing) return
    // A browser repeats its URL, too; the header wins (protocol 3.2).
    const path = `${plan.target.mount}/channels/${plan.channel}?after=${plan.cursor}`
    const id = this.#lastEventId
    const parser = this.#parser(id)
    let feed = (bytes: Buffer): void => parser.feed(bytes)
    let coded: Transform | undefined
    this.#brought = false
    this.#exchange.ask(path, id === '' ? HEADERS : [...HEADERS, ['Last-Event-ID', id]], {
      head: (head) => {
        // The standard: whatever is no stream ends it for good.
        if (!isStream(head)) {
          if (head.status !== 204) tally.refused++
          this.#exchange.close()
          return
        }
        coded = decoder(head.headers.get('content-encoding'))
        if (coded === undefined) return
        const stream = coded
        stream.on('data', (bytes: Buffer) => parser.feed(bytes)).on('error', () => this.#again())
        feed = (bytes) => void stream.write(bytes)
      },
      body: (bytes) => feed(bytes),
      end: () => this.#again(),
      lost: () => this.#again(),
    })
  }

  #parser(lastEventId: string): Parser {
    return createParser({
      lastEventId,
      onEvent: ({ type, data }) => {
        if (type !== 'message') return
        this.#brought = true
        this.take(data)
      },
      onId: (id) => {
        this.#lastEventId = id
      },
      onRetry: (ms) => {
        this.#retry = ms
      },
    })
  }

  #again(): void {
    this.#exchange.close()
    if (this.group.closing) return
    if (!this.#brought) this.group.tally.empty++
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#open(), this.#retry)
  }
}

function isStream({ status, headers }: AnswerHead): boolean {
  return status === 200 && /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')
}
