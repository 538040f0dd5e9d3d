/** What the kernel says of a process. */
import { readdirSync, readFileSync } from 'node:fs'

/** Of `/proc/<pid>/stat`; USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10

/** User and system time of these processes with all their threads, in milliseconds. */
export function cpuOf(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // After the name, which may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  })
}

/**
 * How long the main thread of this process was ready to run while somebody else had its core, in milliseconds; 0 where the
 * kernel does not count it. The process's other threads, pinned to the same core, are not somebody else. Only differences of
 * two of these mean something.
 */
export function waitedOf(pid: number): number {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')
    const others = cpuOf([pid]) - Number(ran) / 1e6
    return Number(waited) / 1e6 - others
  } catch {
    return 0
  }
}

/** Resident memory of these processes, in bytes. */
export function rssOf(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return Number(kib) * 1024
  })
}

/** How many files and sockets these processes have open. */
export function filesOf(pids: readonly number[]): number {
  return sum(pids, (pid) => readdirSync(`/proc/${pid}/fd`).length)
}

/** A process and all that it has started. */
export function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean)
  return [pid, ...children.flatMap((child) => family(Number(child)))]
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0)
}

/** How many files a process may open: each connection is one. */
export function fileLimit(): number {
  const limit = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  return limit === 'unlimited' ? Infinity : Number(limit)
}

/** @throws {Error} with what to type */
export function needFiles(count: number): void {
  const limit = fileLimit()
  // What a server has open besides.
  const needed = count + 200
  if (limit >= needed) return
  throw new Error(
    `This benchmark opens ${count} connections, and a process may open ${limit} files. Type: ulimit -n ${needed}` +
      ` (and as root, if that is refused: prlimit --pid $$ --nofile=${needed})`,
  )
}
