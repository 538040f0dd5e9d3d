/** What a process did to the files of one folder, as `disk-journal.c` wrote it down, and what a disk could hold when the power went. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Random } from '../simulation/random.ts'

export interface Operation {
  /** `sync` of the folder itself, whose name is '', makes the names of new files last. */
  readonly kind: 'write' | 'truncate' | 'unlink' | 'sync'
  readonly name: string
  /** Where it writes, or the length it cuts to. */
  readonly at: number
  readonly data: Buffer
  /** Where its record ends in the journal. */
  readonly end: number
}

const KINDS: Readonly<Record<string, Operation['kind']>> = {
  w: 'write',
  t: 'truncate',
  u: 'unlink',
  s: 'sync',
}
const SECTOR = 512

/** Compiles the journal's shared object. @throws where there is no compiler */
export function compileJournal(into: string): void {
  const source = fileURLToPath(new URL('disk-journal.c', import.meta.url))
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', into, source, '-ldl'], { stdio: 'pipe' })
}

export function readJournal(path: string): readonly Operation[] {
  const bytes = readFileSync(path)
  const operations: Operation[] = []
  for (let at = 0; at < bytes.length;) {
    const kind = KINDS[String.fromCodePoint(bytes.readUInt8(at))]
    if (kind === undefined) throw new Error(`No operation at ${at} of the journal`)
    const name = at + 14 + bytes.readUInt8(at + 1)
    const end = name + bytes.readUInt32LE(at + 10)
    operations.push({
      kind,
      name: bytes.toString('utf8', at + 14, name),
      at: Number(bytes.readBigUInt64LE(at + 2)),
      data: bytes.subarray(name, end),
      end,
    })
    at = end
  }
  return operations
}

/** One file: what is certainly on the disk, and what may be. */
interface File {
  content: Bytes
  pending: Operation[]
}

/** A disk that keeps what was synced, and of the rest whatever it likes: all, nothing, some writes, some sectors of some writes. */
export class Disk {
  readonly #files = new Map<string, File>()
  /** Files whose names were made, or unlinked, since the folder was synced last. */
  readonly #unsure = new Set<string>()

  apply(operation: Operation): void {
    const { kind, name } = operation
    if (kind === 'sync') {
      const file = this.#files.get(name)
      if (name === '') this.#syncFolder()
      else if (file) {
        for (const each of file.pending) file.content.perform(each)
        file.pending = []
      }
      return
    }
    const file = this.#files.get(name) ?? { content: new Bytes(), pending: [] }
    if (!this.#files.has(name)) this.#unsure.add(name)
    this.#files.set(name, file)
    file.pending.push(operation)
    if (kind === 'unlink') this.#unsure.add(name)
  }

  #syncFolder(): void {
    for (const name of this.#unsure) {
      // What was written since makes a new file of that name; what was synced before the unlink is of the old one.
      const file = this.#files.get(name) as File
      const gone = file.pending.findLastIndex(({ kind }) => kind === 'unlink')
      if (gone >= 0) Object.assign(file, { content: new Bytes(), pending: file.pending.slice(gone + 1) })
      if (gone >= 0 && file.pending.length === 0) this.#files.delete(name)
    }
    this.#unsure.clear()
  }

  /** The files as they may be found; one that is missing is not there. */
  afterPowerLoss(random: Random): ReadonlyMap<string, Buffer> {
    const found = new Map<string, Buffer>()
    for (const [name, file] of this.#files) {
      if (this.#unsure.has(name) && file.content.length === 0 && random.chance(0.3)) continue
      const content = survive(file, random)
      if (content) found.set(name, content)
    }
    return found
  }
}

function survive({ content, pending }: File, random: Random): Buffer | undefined {
  const kept = random.pick([0, 0.5, 0.9, 1])
  const torn = random.chance(0.5)
  const result = new Bytes(content.bytes)
  let there = true
  for (const operation of pending) {
    if (!random.chance(kept)) continue
    there = operation.kind !== 'unlink'
    if (operation.kind !== 'write' || !torn) result.perform(operation)
    else for (const sector of sectorsOf(operation)) if (random.chance(0.7)) result.perform(sector)
  }
  return there ? result.bytes : undefined
}

function sectorsOf(operation: Operation): Operation[] {
  const { at, data } = operation
  const sectors: Operation[] = []
  for (let from = 0; from < data.length;) {
    const to = Math.min(data.length, from + SECTOR - ((at + from) % SECTOR))
    sectors.push({ ...operation, at: at + from, data: data.subarray(from, to) })
    from = to
  }
  return sectors
}

/** The content of a file, which grows without being copied each time. */
class Bytes {
  #buffer: Buffer
  #length: number

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#buffer = Buffer.from(bytes)
    this.#length = bytes.length
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  get length(): number {
    return this.#length
  }

  perform({ kind, at, data }: Operation): void {
    if (kind === 'unlink') this.#resize(0)
    else if (kind === 'truncate') this.#resize(at)
    else {
      this.#resize(Math.max(this.#length, at + data.length))
      data.copy(this.#buffer, at)
    }
  }

  /** What is new reads as zeroes. */
  #resize(length: number): void {
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(length * 2)
      this.bytes.copy(larger)
      this.#buffer = larger
    }
    if (length < this.#length) this.#buffer.fill(0, length, this.#length)
    this.#length = length
  }
}
