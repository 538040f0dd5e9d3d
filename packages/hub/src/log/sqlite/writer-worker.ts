/** The thread that writes: one connection, one transaction a group. */
import type { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { LogError } from '../log.ts'
import { DURABLE_RETENTION, RetentionRules } from '../retention.ts'
import type { Trial } from './condition.ts'
import { GuardFile } from './guard-file.ts'
import type {
  FailedResult,
  GroupResult,
  PackedGroupResult,
  SweepResult,
  WriteRequest,
  WriterOptions,
} from './messages.ts'
import { openForWriting } from './open.ts'
import { type PackedRequests, packResults, unpackRequests } from './packing.ts'
import { isDamage, isSerious, toLogError } from './sqlite-error.ts'
import { Sweeper } from './sweeper.ts'
import { answerCalls } from './thread.ts'
import { WriterStore } from './writer-store.ts'

interface Open {
  readonly db: DatabaseSync
  readonly store: WriterStore
  readonly sweeper: Sweeper
}

const options = workerData as WriterOptions
/** How long appends may wait for a sweep. */
const SWEEP_MS = 2
const rules = new RetentionRules(options.retention, DURABLE_RETENTION)
const guard = new GuardFile(options.path)
let open: Open | undefined
let opened = 0
/** What is damaged stays so, whatever else still works. */
let damage: Error | undefined
/** Bytes of a probe on a disk that was full. */
const LARGE = 64 * 1024

function connection(): Open {
  if (open) return open
  const db = openForWriting(options.path, options.durability)
  const store = new WriterStore(db, rules, options.epoch, options.fullBytes)
  open = { db, store, sweeper: new Sweeper(db, store, options.forget, options.recheck && opened === 0) }
  opened++
  return open
}

/** After an error of the file itself nobody knows what the connection has seen: the next call opens another. */
function settle(error: unknown): unknown {
  if (isDamage(error)) damage = error
  if (isSerious(error)) {
    try {
      open?.db.close()
    } catch {
      // As broken as the rest.
    }
    open = undefined
  }
  return toLogError(error, options.path)
}

function write(call: { requests: PackedRequests; now: number }): PackedGroupResult {
  const requests = unpackRequests(call.requests)
  const { results, ...group } = commit(requests, call.now)
  return { ...group, results: packResults(results, options.epoch) }
}

function commit(requests: readonly WriteRequest[], now: number): GroupResult {
  const before = opened
  try {
    const { store, sweeper } = connection()
    const results = store.write(requests, now)
    const { frontier, time, losses } = store.meta
    guard.advance(frontier)
    const reopened = before > 0 && opened > before
    return { results, time, frontier, due: dueOf(sweeper), losses, reopened }
  } catch (error) {
    const failure = settle(error)
    if (!(failure instanceof LogError)) throw failure
    const failed: FailedResult = { kind: 'failed', code: failure.code, message: failure.message }
    const results = requests.map(() => failed)
    return { results, time: 0, frontier: -1, due: Infinity, losses: 0, reopened: false }
  }
}

/** What was stored is stored, also when this can't be told: then somebody looks at once. */
function dueOf(sweeper: Sweeper): number {
  try {
    return sweeper.due()
  } catch {
    return 0
  }
}

function sweep(now: number): SweepResult {
  try {
    const { sweeper, store } = connection()
    const begun = performance.now()
    let result = sweeper.step(now)
    while (result.more && performance.now() - begun < SWEEP_MS) result = sweeper.step(now)
    guard.advance(store.meta.frontier)
    return result
  } catch (error) {
    throw settle(error)
  }
}

function probe({ write, large }: Trial): void {
  try {
    if (damage) throw damage
    if (write) connection().store.probe(large ? LARGE : 0)
  } catch (error) {
    throw settle(error)
  }
}

function close(): void {
  if (open) {
    const { frontier } = open.store.meta
    open.db.close()
    open = undefined
    guard.close(frontier)
  } else if (opened === 0) guard.close()
}

answerCalls({ write, sweep, probe, close })
