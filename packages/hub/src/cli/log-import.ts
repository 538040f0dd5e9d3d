/** `downlink log import`: JSON lines into a log that no hub uses, all of them or none. */
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { LogError } from '../log/log.ts'
import type { LogImport } from '../log/sqlite/import.ts'
import { Failure, reasonOf } from './failure.ts'
import { type ImportLine, LineError, parseImportLine } from './import-line.ts'
import { type Line, LineSplitter, LineTooLong } from './lines.ts'
import type { LogIo } from './log.ts'
import { seldom } from './log-care.ts'
import { withEngine } from './log-engine.ts'
import { amount } from './open-log.ts'
import { onEndSignal, SIGNAL_EXIT_CODE } from './signals.ts'
import { written } from './written.ts'

/** @throws {Failure} with the number of the line that is wrong */
export function importEvents(path: string, file: string | undefined, io: LogIo): Promise<number> {
  return withEngine(async ({ LogImport }) => {
    const input = file === undefined ? io.stdin : createReadStream(file)
    const log = new LogImport(resolve(path))
    let over = false
    let interrupted: keyof typeof SIGNAL_EXIT_CODE | undefined
    const release = onEndSignal((signal) => {
      interrupted = signal
      input.destroy()
    })
    try {
      const counts = await importAll(input, log, seldom(io.tell))
      if (interrupted === undefined) {
        log.commit()
        over = true
        await written(
          io.stdout,
          `${amount(counts.events, 'event')} imported into ${amount(counts.channels.size, 'channel')}\n`,
        )
        return 0
      }
    } catch (error) {
      if (interrupted === undefined) throw failureOf(error, file)
    } finally {
      release()
      input.destroy()
      if (!over) log.cancel()
    }
    io.tell('Interrupted: nothing was imported')
    return SIGNAL_EXIT_CODE[interrupted]
  })
}

interface Counts {
  events: number
  readonly channels: Set<string>
}

async function importAll(input: Readable, log: LogImport, progress: (what: string) => void): Promise<Counts> {
  const splitter = new LineSplitter()
  const counts: Counts = { events: 0, channels: new Set() }
  for await (const chunk of input) {
    for (const line of splitter.feed(chunk as Uint8Array)) importLine(line, log, counts)
    progress(`${amount(counts.events, 'event')} so far`)
  }
  for (const line of splitter.end()) importLine(line, log, counts)
  return counts
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function importLine({ number, bytes }: Line, log: LogImport, counts: Counts): void {
  try {
    const line = readLine(bytes)
    if (line === undefined) return
    counts.channels.add(line.channel)
    if (line.kind === 'end') {
      log.end(line.channel)
      return
    }
    log.add(line)
    counts.events++
  } catch (error) {
    const refused = error instanceof LogError && error.code === 'channel-ended'
    if (!(error instanceof LineError) && !refused) throw error
    throw new Failure(`Line ${number}: ${error.message}. Nothing was imported`, { cause: error })
  }
}

/** Nothing for a blank line. @throws {LineError} */
export function readLine(bytes: Uint8Array): ImportLine | undefined {
  const text = textOf(bytes)
  return text.trim() === '' ? undefined : parseImportLine(text)
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new LineError('Expected UTF-8')
  }
}

function failureOf(error: unknown, file: string | undefined): unknown {
  if (error instanceof Failure || error instanceof LogError) return error
  if (error instanceof LineTooLong) return new Failure(`${error.message}. Nothing was imported`)
  const what = file ?? 'Standard input'
  return new Failure(`${what} can't be read: ${reasonOf(error)}. Nothing was imported`, { cause: error })
}
