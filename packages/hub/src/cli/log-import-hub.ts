/** `downlink log import --hub`: JSON lines into a hub that runs, published in their order. */
import { createReadStream } from 'node:fs'
import { type Entry, sizeOf } from './batch.ts'
import { Failure, reasonOf } from './failure.ts'
import { type ImportLine, LineError } from './import-line.ts'
import { type Line, LineSplitter, LineTooLong } from './lines.ts'
import type { LogIo } from './log.ts'
import { seldom } from './log-care.ts'
import { readLine } from './log-import.ts'
import { amount } from './open-log.ts'
import { Publisher } from './publisher.ts'
import type { HeaderList } from './values.ts'
import { written } from './written.ts'

/** One publish: consecutive lines of one channel. */
const BATCH = { events: 500, bytes: 256 * 1024 }

/** @throws {Failure} with the number of the line that is wrong; what stands before it is published */
export async function importIntoHub(
  hub: string,
  headers: HeaderList,
  file: string | undefined,
  io: LogIo,
): Promise<number> {
  const input = file === undefined ? io.stdin : createReadStream(file)
  const source = file ?? 'standard input'
  const run = new Run((channel) => {
    const published = (): void => {}
    return new Publisher({ hub, channel, ndjson: true, headers, source, published, tell: io.tell })
  })
  const progress = seldom(io.tell)
  try {
    const splitter = new LineSplitter()
    for await (const chunk of input) {
      for (const line of splitter.feed(chunk as Uint8Array)) await run.take(line, parse(line, source))
      progress(`${amount(run.events, 'event')} so far`)
    }
    for (const line of splitter.end()) await run.take(line, parse(line, source))
    await run.flush()
  } catch (error) {
    // What was read before it is good.
    if (error instanceof LineTooLong || (error instanceof Failure && error.cause instanceof LineError))
      await run.flush()
    if (error instanceof Failure) throw error
    if (error instanceof LineTooLong) throw new Failure(`${error.message}. The lines before it are published`)
    throw new Failure(`${file ?? 'Standard input'} can't be read: ${reasonOf(error)}`, { cause: error })
  } finally {
    input.destroy()
  }
  const channels = amount(run.channels.size, 'channel')
  await written(io.stdout, `${amount(run.events, 'event')} published to ${channels} of ${hub}\n`)
  return 0
}

function parse({ number, bytes }: Line, source: string): ImportLine | undefined {
  try {
    return readLine(bytes)
  } catch (error) {
    if (!(error instanceof LineError)) throw error
    const message = `Line ${number} of ${source}: ${error.message}. The lines before it are published`
    throw new Failure(message, { cause: error })
  }
}

/** Consecutive events of one channel on their way. */
class Run {
  readonly channels = new Set<string>()
  events = 0
  readonly #publisherOf: (channel: string) => Publisher
  #publisher: Publisher | undefined
  #channel = ''
  #entries: Entry[] = []
  #bytes = 0

  constructor(publisherOf: (channel: string) => Publisher) {
    this.#publisherOf = publisherOf
  }

  async take({ number }: Line, line: ImportLine | undefined): Promise<void> {
    if (line === undefined) return
    if (line.channel !== this.#channel) {
      await this.flush()
      this.#channel = line.channel
      this.#publisher = this.#publisherOf(line.channel)
      this.channels.add(line.channel)
    }
    if (line.kind === 'end') {
      await this.flush()
      await this.#publisher?.end()
      return
    }
    const { type, data } = line
    const entry = { line: number, text: JSON.stringify({ type, data }) }
    const size = sizeOf(entry, true)
    if (this.#entries.length === BATCH.events || this.#bytes + size > BATCH.bytes) await this.flush()
    this.#entries.push(entry)
    this.#bytes += size
  }

  async flush(): Promise<void> {
    const entries = this.#entries
    if (entries.length === 0) return
    this.#entries = []
    this.#bytes = 0
    await this.#publisher?.publish(entries)
    this.events += entries.length
  }
}
