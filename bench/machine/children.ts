/** What a benchmark has started ends with it, however it ends. */
import type { ChildProcess } from 'node:child_process'

const children = new Set<ChildProcess>()
const cleanups = new Set<() => void>()

export function keep(child: ChildProcess): ChildProcess {
  children.add(child)
  child.on('exit', () => children.delete(child))
  return child
}

/** Done at the end, unless `release` was called before. */
export function atEnd(cleanup: () => void): { release(): void } {
  cleanups.add(cleanup)
  return {
    release() {
      if (cleanups.delete(cleanup)) cleanup()
    },
  }
}

function endAll(): void {
  for (const child of children) child.kill('SIGTERM')
  for (const cleanup of cleanups) cleanup()
  cleanups.clear()
}

process.on('exit', endAll)
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => process.exit(status))
}
