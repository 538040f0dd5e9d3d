/** Lines to stderr that nobody waits for: whoever reads it slowly, or not at all, must not hold the hub up, nor its memory. */
import { destination } from 'pino'
import type { Sink } from './journal.ts'

/** Bytes that may wait to be taken. Lines beyond are lost, and counted. */
const WAITING = 1024 * 1024
/** How long the end waits for the last lines to be taken. */
const CLOSE_MS = 1_000

export function stderrSink(): Sink {
  let lost = 0
  let waiting = false
  const stderr = destination({ dest: 2, sync: false, minLength: 0, maxLength: WAITING })
  stderr.on('drop', () => lost++)
  // Nobody reads it any more, or the disk is full: there is nowhere to say so.
  stderr.on('error', () => {})
  stderr.on('drain', () => {
    waiting = false
  })
  return {
    write(line) {
      waiting = true
      stderr.write(ascii(line))
    },
    onDrain(listener) {
      stderr.on('drain', () => {
        if (lost === 0) return
        const count = lost
        lost = 0
        listener(count)
      })
    },
    async close() {
      if (waiting) await within(CLOSE_MS, (done) => stderr.once('drain', done))
      await within(CLOSE_MS, (done) => stderr.once('close', done).end())
    },
  }
}

function within(ms: number, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    start(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** The same JSON in ASCII: some of the rest speaks to terminals (C1), or ends lines for those who look (U+2028). */
export function ascii(line: string): string {
  // oxlint-disable-next-line no-control-regex -- of these only the end of the line is in JSON
  return line.replace(/[^\u0000-\u007e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
