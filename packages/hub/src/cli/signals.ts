/** SIGINT and SIGTERM: the first asks for a clean end, the second ends the process at once. */

export type EndSignal = 'SIGINT' | 'SIGTERM'
const SIGNALS: readonly EndSignal[] = ['SIGINT', 'SIGTERM']

/** What a shell says of a program that a signal has ended. */
export const SIGNAL_EXIT_CODE: Readonly<Record<EndSignal, number>> = { SIGINT: 130, SIGTERM: 143 }

/**
 * One Ctrl-C in a terminal may come twice: to the process itself, and once more from an npm that passes signals on. The same
 * signal within this time is the same wish.
 */
const SAME_WISH_MS = 500

export interface SignalSource {
  on(signal: EndSignal, listener: () => void): unknown
  off(signal: EndSignal, listener: () => void): unknown
}

/**
 * Calls `first` with the first signal; the second one calls `again`. Returns how to stop listening.
 *
 * @param now Milliseconds on a clock that doesn't go back
 */
export function onEndSignal(
  first: (signal: EndSignal) => void,
  source: SignalSource = process,
  again: (signal: EndSignal) => void = endAtOnce,
  now: () => number = () => performance.now(),
): () => void {
  let wish: { readonly signal: EndSignal; readonly at: number } | undefined
  const listeners = SIGNALS.map((signal) => {
    const listener = (): void => {
      if (wish === undefined) {
        wish = { signal, at: now() }
        first(signal)
      } else if (signal !== wish.signal || now() - wish.at > SAME_WISH_MS) {
        release()
        again(signal)
      }
    }
    source.on(signal, listener)
    return { signal, listener }
  })
  function release(): void {
    for (const { signal, listener } of listeners) source.off(signal, listener)
  }
  return release
}

/** With no listener left the signal does what it does to any program. */
function endAtOnce(signal: EndSignal): void {
  process.kill(process.pid, signal)
}
