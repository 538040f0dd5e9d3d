/**
 * A small file beside the database that tells how far the log had come, and when: so that an older copy put in its place is
 * noticed. It is written after each commit, without a sync: it may lag behind the database after a power loss, and never leads.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'

export interface Guard {
  /** The log's own name, which its database has too. */
  readonly log: string
  /** Nothing beyond this position was acknowledged. */
  readonly position: number
  /** When this was written, in milliseconds since 1970: a copy over the same file is newer. */
  readonly time: number
  /** What the file is to its file system (`fileOf`): a copy beside it is another. */
  readonly file: string
  /** Closed as it should be. */
  readonly clean: boolean
  readonly durability: 'fsync' | 'os'
  /** The machine's present run, where it tells. */
  readonly boot: string
}

/** Every state of the file has this length, so that a shorter one leaves nothing of a longer one behind. */
const LENGTH = 512

export function guardPath(path: string): string {
  return `${path}-guard`
}

/** What the file says, and what the file system says of it. */
export interface FoundGuard {
  readonly guard: Guard
  /** When it was last changed by anyone, in milliseconds since 1970. */
  readonly changed: number
  readonly file: string
}

/** Undefined when there is none, or nothing that can be read. */
export function readGuard(path: string): FoundGuard | undefined {
  let fd: number
  try {
    fd = openSync(guardPath(path), 'r')
  } catch {
    return undefined
  }
  try {
    const buffer = Buffer.alloc(LENGTH)
    const length = readSync(fd, buffer, 0, LENGTH, 0)
    const guard = JSON.parse(buffer.toString('utf8', 0, length)) as Guard | null
    return guard === null ? undefined : { guard, changed: fstatSync(fd).ctimeMs, file: fileOf(fd) }
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

export function writeGuard(path: string, guard: Omit<Guard, 'file'>): void {
  const fd = openSync(guardPath(path), 'w')
  try {
    writeSync(fd, JSON.stringify({ ...guard, file: fileOf(fd) }).padEnd(LENGTH))
  } finally {
    closeSync(fd)
  }
}

/** The guard of a log that is open. */
export class GuardFile {
  readonly #fd: number
  #guard: Guard

  constructor(path: string) {
    this.#guard = (readGuard(path) as { guard: Guard }).guard
    this.#fd = openSync(guardPath(path), 'r+')
  }

  /** Everything up to `position` is as durable as promised, and may now be acknowledged. */
  advance(position: number): void {
    if (position === this.#guard.position) return
    this.#write({ ...this.#guard, position, time: Date.now() })
  }

  /** After the database: what is called clean is on the disk. */
  close(position: number = this.#guard.position): void {
    this.#write({ ...this.#guard, position, time: Date.now(), clean: true })
    closeSync(this.#fd)
  }

  #write(guard: Guard): void {
    try {
      writeSync(this.#fd, JSON.stringify(guard).padEnd(LENGTH), 0)
      this.#guard = guard
    } catch {
      // The events are stored, so nothing is refused for it. A guard that lags notices less, and a torn one changes the epoch.
    }
  }
}

/** Its number, which is soon given to another file when it is gone, and when it was made; 0 where the file system does not know. */
function fileOf(fd: number): string {
  const { ino, birthtimeMs } = fstatSync(fd)
  return `${ino} of ${birthtimeMs}`
}

/** Changes with every start of the machine; empty where the system does not tell. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
