/** The parts of the SQLite engine that the commands need, loaded when they are: the other commands do without. */
import { LogError } from '../log/log.ts'
import { Failure, oneLine, reasonOf } from './failure.ts'
import { hushExperimentalWarnings } from './quiet.ts'

/** Loads it, and calls `work` with it. @throws {Failure} */
export async function withEngine<T>(work: (engine: Engine) => T | Promise<T>): Promise<T> {
  hushExperimentalWarnings()
  try {
    return await work(await loadEngine())
  } catch (error) {
    if (error instanceof Failure) throw error
    if (error instanceof LogError) throw new Failure(oneLine(error.message), { cause: error })
    throw new Failure(`The log can't be used: ${reasonOf(error)}`, { cause: error })
  }
}

export type Engine = Awaited<ReturnType<typeof loadEngine>>

// oxlint-disable-next-line typescript/explicit-function-return-type -- what it returns is what these modules export
async function loadEngine() {
  const { inspect } = await import('../log/sqlite/inspect.ts')
  const { verify } = await import('../log/sqlite/verify.ts')
  const { compact } = await import('../log/sqlite/compact.ts')
  const { exportLog } = await import('../log/sqlite/export.ts')
  const { LogImport } = await import('../log/sqlite/import.ts')
  return { inspect, verify, compact, exportLog, LogImport }
}
