/** From the queue to those who listen: one item after the other, each when the one before has been handled by all. */
import type { Item } from './source.ts'

export interface Outlet {
  /** @returns a promise when there is no room for more; it resolves when there is again */
  readonly push: (items: readonly Item[]) => Promise<void> | undefined
  /** Delivers what waits, as long as somebody listens. */
  flow(): void
  /** Calls back when all that waits has been delivered. @param patient Whether to wait for somebody who listens */
  end(then: () => void, patient: boolean): void
  /** Nothing is delivered any more. */
  close(): void
}

/**
 * @param bound Events that may wait
 * @param ready Whether anybody listens
 * @param deliver Resolves when the item has been handled. It never rejects
 * @param done The item has been handled
 */
export function createOutlet(
  bound: number,
  ready: () => boolean,
  deliver: (item: Exclude<Item, { kind: 'cursor' }>) => unknown,
  done: (item: Item) => void,
): Outlet {
  let queue: Item[] = []
  let flowing = false
  let closed = false
  let ended: (() => void) | undefined
  let patience = false
  let full: Promise<void> | undefined
  let makeRoom = (): void => {}

  async function flow(): Promise<void> {
    if (flowing) return
    flowing = true
    // oxlint-disable-next-line no-unmodified-loop-condition -- close() does
    while (!closed && queue[0] && ready()) {
      const item = queue.shift() as Item
      if (item.kind !== 'cursor') await deliver(item)
      if (closed) break
      done(item)
      // Half of it: to ask for more after each event would be a start and stop.
      if (queue.length <= bound / 2) makeRoom()
    }
    flowing = false
    settle()
  }

  function settle(): void {
    if (!ended || closed || (queue[0] && (patience || ready()))) return
    const then = ended
    ended = undefined
    then()
  }

  return {
    push(items) {
      if (closed) return undefined
      for (const item of items) {
        const last = queue[queue.length - 1]
        // Cursors do not add up.
        if (item.kind === 'cursor' && last?.kind === 'cursor') queue[queue.length - 1] = item
        else queue.push(item)
      }
      void flow()
      if (queue.length <= bound) return undefined
      return (full ??= new Promise((resolve) => {
        makeRoom = () => {
          full = undefined
          resolve()
        }
      }))
    },
    flow: () => void flow(),
    end(then, patient) {
      ended = then
      patience = patient
      if (!flowing) settle()
    },
    close() {
      closed = true
      queue = []
      makeRoom()
    },
  }
}
