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
  let dead: number | undefined
  let suspect: number | undefined
  let cancel: (() => void) | undefined
  /** When the timer at work goes off. */
  let set = 0

  function arm(ms: number): void {
    set = now() + ms
    cancel = after(ms, ring)
  }

  function ring(): void {
    cancel = undefined
    if (dead === undefined) return
    const left = heard + (suspect ?? dead) - now()
    // The timer is so late that what came meanwhile may not have been read yet; or something was heard meanwhile.
    if (now() - set > LATE) arm(Math.max(left, LATE))
    else if (left > 0) arm(left)
    else if (suspect === undefined) {
      dead = undefined
      onDead()
    } else {
      arm(dead - suspect)
      suspect = undefined
      onSuspect()
    }
  }

  return {
    expect(dueDead, dueSuspect) {
      heard = now()
      dead = dueDead
      suspect = dueSuspect
      const first = suspect ?? dead ?? 0
      // A timer that goes off too early arms itself again: so a chunk costs no timer.
      if (cancel && dead && set <= heard + first) return
      cancel?.()
      cancel = undefined
      if (dead) arm(first)
    },
  }
}
