/** Which core has whom: the server one of its own, so that the load never takes its time. */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { findCommand } from '../../scripts/tools.mjs'

const taskset = findCommand('taskset')
const cores = availableParallelism()

export const SERVER_CORE = 0
export const READERS_CORE = Math.min(1, cores - 1)
/** Where the publishers are: with three cores or more they have one, too. */
export const PUBLISHERS_CORE = Math.min(2, cores - 1)

/** The command, pinned where that is possible. */
export function onCore(core: number, command: readonly string[]): readonly string[] {
  return taskset === undefined || cores < 2 ? command : [taskset, '-c', String(core), ...command]
}

/** The benchmark's own process stays out of the server's way. */
export function stayOffServer(): void {
  if (taskset && cores > 1) spawnSync(taskset, ['-a', '-c', '-p', `1-${cores - 1}`, String(process.pid)])
}

/** What makes the figures of this machine worse than they are, or undefined. */
export function pinningTrouble(): string | undefined {
  if (cores < 2) return 'There is one core only: server and load share it, so rates and latencies mean little'
  if (taskset === undefined)
    return 'There is no taskset here: server and load may share a core, so latencies mean little'
  return undefined
}
