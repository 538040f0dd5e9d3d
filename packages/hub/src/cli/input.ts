/** Standard input as entries to publish. It is paused while too much of it waits. */
import type { Readable } from 'node:stream'
import { type BatchLimit, type Entry, sizeOf } from './batch.ts'
import { Failure, reasonOf } from './failure.ts'
import { type Line, LineSplitter, LineTooLong } from './lines.ts'
import { Queue } from './queue.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

export class Input {
  readonly #ndjson: boolean
  readonly #tell: (line: string) => void
  readonly #splitter = new LineSplitter()
  readonly #queue = new Queue(() => this.#stream?.resume())
  #stream: Readable | undefined
  #failure: Failure | undefined
  #told = false
  #stopped = false

  constructor(ndjson: boolean, tell: (line: string) => void) {
    this.#ndjson = ndjson
    this.#tell = tell
  }

  /** Entries that are there already, and all there is. */
  put(entries: readonly Entry[]): void {
    for (const entry of entries) this.#queue.put(entry, sizeOf(entry, this.#ndjson))
    this.#queue.close()
  }

  read(stream: Readable): void {
    this.#stream = stream
    stream.on('data', (chunk: Uint8Array) => this.#take(() => this.#splitter.feed(chunk)))
    stream.once('end', () => {
      this.#take(() => this.#splitter.end())
      this.#queue.close()
    })
    stream.once('error', (error) =>
      this.#fail(new Failure(`Standard input can't be read: ${reasonOf(error)}`)),
    )
  }

  /** Reads no more. An unfinished line is left out: half of it would be another one. */
  stop(): void {
    this.#stopped = true
    this.#stream?.pause()
    this.#queue.close()
  }

  /** The next batch; undefined when all has been taken. @throws {Failure} when what comes next can't be read */
  async take(limit: BatchLimit): Promise<readonly Entry[] | undefined> {
    const batch = await this.#queue.take(limit)
    if (batch === undefined && this.#failure !== undefined) throw this.#failure
    return batch
  }

  #take(read: () => readonly Line[]): void {
    if (this.#stopped) return
    try {
      for (const line of read()) {
        const text = this.#textOf(line)
        if (this.#ndjson && text.trim() === '') continue
        const entry = { line: line.number, text }
        this.#queue.put(entry, sizeOf(entry, this.#ndjson))
      }
    } catch (error) {
      this.#fail(error instanceof LineTooLong ? new Failure(`${error.message}: cut it into several`) : error)
      return
    }
    if (this.#queue.full) this.#stream?.pause()
  }

  /** What came before is still published. */
  #fail(error: unknown): void {
    this.#failure ??= error instanceof Failure ? error : new Failure(reasonOf(error), { cause: error })
    this.stop()
  }

  /** The one odd byte of an old log should not end a pipeline that runs for months, nor go unnoticed. */
  #textOf({ number, bytes }: Line): string {
    try {
      return strict.decode(bytes)
    } catch {
      if (this.#ndjson) throw new Failure(`Line ${number} of standard input is not UTF-8, as JSON must be`)
      if (!this.#told) this.#tell(`Line ${number} is not UTF-8: what can't be read is published as U+FFFD`)
      this.#told = true
      return lenient.decode(bytes)
    }
  }
}

/** The argument: one event whatever is in it, or with `--ndjson` one a line. */
export function entriesOf(data: string, ndjson: boolean): readonly Entry[] {
  if (!ndjson) return [{ text: data }]
  return data.split('\n').flatMap((text, index) => (text.trim() === '' ? [] : [{ line: index + 1, text }]))
}
