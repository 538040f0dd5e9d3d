/** The log's own few numbers, in memory and in the table `meta`. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Position } from '../log.ts'

/** In the table by these names. */
const NAMES = ['frontier', 'time', 'horizon', 'horizon_loss', 'losses'] as const

export class Meta {
  /** The newest position given out. */
  frontier: Position = 0
  /** Of the newest event, in milliseconds since 1970. */
  time = 0
  /** Everything that a forgotten channel ever had lies at or below this. */
  horizon: Position = 0
  /** The value of `losses` when the horizon last moved. */
  horizonLoss = 0
  /** How often something was lost: to tell a new loss from one already told. */
  losses = 0
  #written: readonly number[] = []
  readonly #get: StatementSync
  readonly #put: StatementSync

  constructor(db: DatabaseSync) {
    this.#get = db.prepare('SELECT value FROM meta WHERE name = ?')
    this.#put = db.prepare('UPDATE meta SET value = ? WHERE name = ?')
    this.#load()
  }

  /** Writes what has changed; before the commit. */
  write(): void {
    const values = this.#values()
    for (const [index, value] of values.entries()) {
      if (value !== this.#written[index]) this.#put.run(value, NAMES[index] as string)
    }
    this.#written = values
  }

  /** After `rollBack`, what is in the table holds. */
  reload(rollBack: () => void): void {
    rollBack()
    this.#load()
  }

  #load(): void {
    const values = NAMES.map((name) => Number(this.#get.get(name)?.value ?? 0))
    const [frontier = 0, time = 0, horizon = 0, horizonLoss = 0, losses = 0] = values
    this.frontier = frontier
    this.time = time
    this.horizon = horizon
    this.horizonLoss = horizonLoss
    this.losses = losses
    this.#written = values
  }

  #values(): readonly number[] {
    return [this.frontier, this.time, this.horizon, this.horizonLoss, this.losses]
  }
}
