/** Looks for what can't be right in a log: the file itself, and what its tables say of each other. Reads only. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { reading } from './existing.ts'
import { guardPath, readGuard } from './guard-file.ts'

/** Problems told one by one; beyond it they are only counted. */
const MOST = 100
/** Events between two calls of `progress`. */
const STRIDE = 250_000

export interface Verified {
  readonly channels: number
  readonly events: number
  /** One line each, at most 100. Empty: all is well. */
  readonly problems: readonly string[]
  /** What is no damage, but good to know. */
  readonly notes: readonly string[]
}

type Row = Readonly<Record<string, SQLOutputValue>>

/**
 * One snapshot of the log, so that a hub may go on using it. Meanwhile its `-wal` file grows.
 *
 * @param progress Told now and then what is being done
 * @throws {LogError} `log-unavailable` when the file can't be read at all
 */
export function verify(path: string, progress: (what: string) => void = () => {}): Verified {
  return reading(path, (db) => {
    const found = new Problems()
    const counts = { channels: 0, events: 0 }
    let notes: readonly string[] = []
    db.exec('BEGIN')
    try {
      progress('looking at the pages of the file')
      checkFile(db, found)
      const numbers = checkNumbers(db, found)
      counts.channels = checkChannels(db, found, numbers.frontier)
      counts.events = checkEvents(db, found, numbers.frontier, progress)
      checkGarbage(db, found)
      notes = notesOf(path, numbers)
    } catch (error) {
      // Where a page is damaged it goes no further.
      found.add(`SQLite: ${(error as Error).message}`)
    }
    // Closing ends the snapshot: a damaged file can't even be committed without having changed.
    return { ...counts, problems: found.lines, notes }
  })
}

function checkFile(db: DatabaseSync, found: Problems): void {
  for (const { integrity_check: line } of db.prepare(`PRAGMA integrity_check(${MOST})`).iterate()) {
    if (line !== 'ok') found.add(`SQLite: ${String(line)}`)
  }
}

class Problems {
  readonly #lines: string[] = []
  #count = 0

  add(line: string): void {
    if (this.#count++ < MOST) this.#lines.push(line)
  }

  get lines(): readonly string[] {
    const more = this.#count - this.#lines.length
    return more > 0 ? [...this.#lines, `… and ${more} more`] : this.#lines
  }
}

interface Numbers {
  readonly log: unknown
  readonly frontier: number
}

function checkNumbers(db: DatabaseSync, found: Problems): Numbers {
  const meta = new Map(
    db
      .prepare('SELECT name, value FROM meta')
      .all()
      .map((row) => [row.name, row.value]),
  )
  for (const name of ['frontier', 'time', 'horizon', 'horizon_loss', 'losses']) {
    const value = meta.get(name)
    if (!Number.isInteger(value) || Number(value) < 0) found.add(`meta: ${name} is no whole number`)
  }
  const frontier = Number(meta.get('frontier'))
  if (Number(meta.get('horizon')) > frontier) found.add('meta: the horizon lies behind the frontier')
  const epochs = db.prepare('SELECT name, parent_up_to FROM epochs ORDER BY ordinal').all()
  if (epochs.length === 0) found.add('epochs: there is none')
  for (const { name, parent_up_to: upTo } of epochs) {
    if (Number(upTo) > frontier) found.add(`epochs: ${String(name)} continues its parent behind the frontier`)
  }
  return { log: meta.get('log'), frontier }
}

function checkChannels(db: DatabaseSync, found: Problems, frontier: number): number {
  let count = 0
  for (const row of db.prepare('SELECT * FROM channels').iterate()) {
    count++
    const channel = `channel ${String(row.name)}`
    const [head, newest, end] = [Number(row.head), Number(row.newest), row.end_at]
    const [trimmed, deleted, unknown] = [
      Number(row.trimmed_to),
      Number(row.deleted_to),
      Number(row.unknown_to),
    ]
    if (newest > frontier) found.add(`${channel}: it has records behind the frontier`)
    if (head > newest) found.add(`${channel}: its last event lies behind its newest record`)
    if (end !== null && Number(end) < head) found.add(`${channel}: it has events after its end`)
    if (Number(row.lost_to) !== Math.max(trimmed, deleted, unknown)) {
      found.add(`${channel}: lost_to is not the most of what it lost`)
    }
    if (Number(row.events) < 0 || Number(row.size) < 0) found.add(`${channel}: it counts less than nothing`)
  }
  return count
}

/** Events in the order of channels, each channel's held against its row when they are over. */
function checkEvents(
  db: DatabaseSync,
  found: Problems,
  frontier: number,
  progress: (what: string) => void,
): number {
  const channelOf = db.prepare('SELECT * FROM channels WHERE id = ?')
  let events = 0
  let looked = 0
  let walk: ChannelWalk | undefined
  const rows = db
    .prepare(
      'SELECT channel, position, previous, time, size, length(data) AS length FROM events ORDER BY channel, position',
    )
    .iterate()
  for (const event of rows) {
    if (looked++ % STRIDE === 0) progress(`looking at events: ${(looked - 1).toLocaleString('en')}`)
    if (event.channel !== walk?.id) {
      walk?.end()
      const row = channelOf.get(event.channel as number)
      if (row === undefined)
        found.add(`event ${String(event.position)}: no channel has number ${String(event.channel)}`)
      walk = row && new ChannelWalk(row, found)
    }
    if (Number(event.position) > frontier)
      found.add(`event ${String(event.position)}: it lies behind the frontier`)
    if (walk?.add(event)) events++
  }
  walk?.end()
  const silent = db
    .prepare(
      'SELECT name FROM channels c WHERE events > 0 AND NOT EXISTS (SELECT 1 FROM events WHERE channel = c.id)',
    )
    .iterate()
  for (const { name } of silent) found.add(`channel ${String(name)}: its events are missing`)
  return events
}

/** The kept events of one channel, each of which knows the one before it. */
class ChannelWalk {
  readonly id: SQLOutputValue | undefined
  readonly #row: Row
  readonly #found: Problems
  readonly #floor: number
  #events = 0
  #size = 0
  #last = 0
  #time = 0

  constructor(row: Row, found: Problems) {
    this.id = row.id
    this.#row = row
    this.#found = found
    this.#floor = Math.max(Number(row.trimmed_to), Number(row.deleted_to))
  }

  /** False: it is what is left of an erased channel, and nobody can read it. */
  add(event: Row): boolean {
    const [position, previous, time] = [Number(event.position), Number(event.previous), Number(event.time)]
    if (position <= this.#floor) return false
    const breaks = this.#last === 0 ? previous > this.#floor : previous !== this.#last
    if (breaks) this.#tell(`event ${position} does not continue the one before it`)
    if (time < this.#time) this.#tell(`event ${position} is older than the one before it`)
    // Characters are one or two units each.
    const [size, length] = [Number(event.size), Number(event.length)]
    if (!String(event.length).match(/^\d+$/) || size < length || size > 2 * length) {
      this.#tell(`event ${position} has not the size that it says`)
    }
    this.#events++
    this.#size += size
    this.#last = position
    this.#time = time
    return true
  }

  end(): void {
    const { events, size, head } = this.#row
    if (Number(events) !== this.#events)
      this.#tell(`it counts ${String(events)} events, and has ${this.#events}`)
    if (Number(size) !== this.#size)
      this.#tell(`it counts ${String(size)} units of data, and has ${this.#size}`)
    if (this.#events > 0 && Number(head) !== this.#last) {
      this.#tell(`its last event should be ${String(head)}, and is ${this.#last}`)
    }
  }

  #tell(what: string): void {
    this.#found.add(`channel ${String(this.#row.name)}: ${what}`)
  }
}

/** What is erased and still there must be known as garbage, or it stays for ever. */
function checkGarbage(db: DatabaseSync, found: Problems): void {
  const stray = db.prepare('SELECT channel FROM sweep WHERE channel NOT IN (SELECT id FROM channels)').all()
  for (const { channel } of stray) found.add(`sweep: no channel has number ${String(channel)}`)
  const kept = db
    .prepare(
      `SELECT c.name FROM channels c WHERE max(c.trimmed_to, c.deleted_to) > 0
        AND c.id NOT IN (SELECT channel FROM sweep)
        AND EXISTS (SELECT 1 FROM events e WHERE e.channel = c.id AND e.position <= max(c.trimmed_to, c.deleted_to))`,
    )
    .iterate()
  for (const { name } of kept)
    found.add(`channel ${String(name)}: it has events that nobody can read nor will sweep`)
}

function notesOf(path: string, { log, frontier }: Numbers): readonly string[] {
  const guard = readGuard(path)?.guard
  const then = 'the next hub begins a new epoch'
  if (guard === undefined) return [`${guardPath(path)} is missing: ${then}`]
  if (guard.log !== log) return [`${guardPath(path)} belongs to another log: ${then}`]
  // In use it is written after the commit, and the snapshot is older than the guard.
  return guard.position > frontier && guard.clean
    ? [`It ends at position ${frontier}, and ${guard.position} was acknowledged: ${then}`]
    : []
}
