/** Notices that nothing is heard any more. It goes by the clock on the wall: timers of hidden pages are late, those of sleepers later. */
import type { Environment } from './environment.ts'

/** A timer that is later than this was held up, and so was what it waits for: that gets as much time to show up. */
const LATE = 1000

export interface Watchdog {
  /** Something was heard just now: the next thing is due within `dead` milliseconds. Without a time nothing is due. */
  readonly expect: (dead?: number, suspect?: number) => void
}

/**
 * @param onSuspect Called once when nothing was heard for `suspect` milliseconds
 * @param onDead Called once when nothing was heard for `dead` milliseconds
 */
export function createWatchdog(
  { now, after }: Environment,
  onSuspect: () => void,
  onDead: () => void,
): Watchdog {
  let heard = 0
  let cancel: (() => void) | undefined
  /** When the timer at work goes off. */
  let set = 0
  let due: readonly (readonly [ms: number, run: () => void])[] = []

  function arm(ms: number): void {
    set = now() + ms
    cancel = after(ms, ring)
  }

  function ring(): void {
    cancel = undefined
    const [next] = due
    if (!next) return
    const left = heard + next[0] - now()
    // Heard meanwhile; or the timer is so late that what came meanwhile may not have been read yet.
    if (left > 0 || now() - set > LATE) return arm(Math.max(left, LATE))
    due = due.slice(1)
    if (due[0]) arm(Math.max(0, heard + due[0][0] - now()))
    next[1]()
  }

  return {
    expect(dead, suspect) {
      heard = now()
      due = []
      if (dead === undefined) {
        cancel?.()
        cancel = undefined
        return
      }
      due = [
        ...(suspect !== undefined && suspect < dead ? [[suspect, onSuspect] as const] : []),
        [dead, onDead],
      ]
      const [[first]] = due as [readonly [number, () => void]]
      // A timer that goes off too early arms itself again: so a chunk costs no timer.
      if (cancel && set <= heard + first) return
      cancel?.()
      arm(first)
    },
  }
}
