/** Counts the timers of this process that are set and have not run: to be imported before anything that sets one. */

const live = new Set<unknown>()
const { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: stop } = globalThis

globalThis.setTimeout = Object.assign(
  (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = set(() => {
      live.delete(timer)
      run(...args)
    }, ms)
    live.add(timer)
    return timer
  },
  // With its promise form.
  set,
)
globalThis.clearTimeout = (timer) => {
  live.delete(timer)
  clear(timer)
}
globalThis.setInterval = Object.assign(
  (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = repeat(run, ms, ...args)
    live.add(timer)
    return timer
  },
  repeat,
) as typeof setInterval
globalThis.clearInterval = (timer) => {
  live.delete(timer)
  stop(timer)
}

export function liveTimers(): number {
  return live.size
}
