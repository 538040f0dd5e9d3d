/** The SQLite log of a world: in a folder of its own, as quick as a disk allows. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../../src/log/log.ts'
import { SqliteLog } from '../../src/log/sqlite/sqlite-log.ts'
import type { Disk, InnerOptions } from './faulty-log.ts'

export class SqliteDisk implements Disk {
  readonly #folder: string
  #log: SqliteLog | undefined

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async create(): Promise<SqliteDisk> {
    return new SqliteDisk(await mkdtemp(join(tmpdir(), 'downlink-world-')))
  }

  async open(options: InnerOptions): Promise<Log> {
    this.#log = await SqliteLog.open({ ...options, path: this.#path, durability: 'os' })
    return this.#log
  }

  async breakContinuity(): Promise<void> {
    await rm(`${this.#path}-guard`)
  }

  async backUp(): Promise<void> {
    await copyFile(this.#path, `${this.#path}-backup`)
  }

  async restore(): Promise<void> {
    // Closed, it has nothing beside the one file but its guard, which stays: it knows better.
    await copyFile(`${this.#path}-backup`, this.#path)
  }

  async remove(): Promise<void> {
    await this.#log?.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  get #path(): string {
    return join(this.#folder, 'log.db')
  }
}
