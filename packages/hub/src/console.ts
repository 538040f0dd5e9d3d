/**
 * `@downlink/hub/console`: the page that shows a hub from the inside, and what tells it. `downlink serve` has it; an embedded hub gets it
 * by two options:
 *
 *     const console = openConsole(hub)
 *     const server = await serveHub(hub, { authorize, ...console.options })
 *     …
 *     await console.close()
 */
import { consolePage, type ServedPage } from './http/console-page.ts'
import type { Observer, RequestRecord } from './http/observe.ts'
import type { Hub } from './hub.ts'
import { Lookout } from './ops/lookout.ts'
import { nodeMachine } from './ops/node-machine.ts'

export type { ServedPage } from './http/console-page.ts'
export type { Lookout } from './ops/lookout.ts'

export interface HubConsole {
  /** For `serveHub`, `nodeHandler` and `fetchHandler`. */
  readonly options: {
    /** At `/` of where the hub is mounted. It needs no right itself; what it reads needs `inspect`. */
    readonly page: ServedPage
    /** The hub's own channels, `$hub.…`, and `/readers`. */
    readonly lookout: Lookout
    /** Shows refusals and failures. Who has an `observe` of their own gives it to `openConsole`. */
    readonly observe: Observer
  }
  /** For the hub's `onError`: the console shows it, too. */
  failed(error: unknown): void
  /** Ends the readers of the hub's own channels. Before the hub is closed. */
  close(): Promise<void>
}

/** @param observe Is told as before, besides. */
export function openConsole(hub: Hub, observe: Observer = {}): HubConsole {
  const machine = nodeMachine()
  const lookout = new Lookout(hub, machine)
  return {
    options: { page: consolePage(), lookout, observe: { ...observe, refused: refusedTo(lookout, observe) } },
    failed(error) {
      lookout.trouble({ kind: 'error', message: error instanceof Error ? error.message : String(error) })
    },
    async close() {
      machine.close()
      await lookout.close()
    },
  }
}

function refusedTo(lookout: Lookout, observe: Observer): (record: RequestRecord) => void {
  return (record) => {
    const { method, path, status, code } = record
    lookout.trouble({
      kind: 'refused',
      status,
      ...(code !== undefined && { code }),
      message: `${method} ${path}`,
    })
    observe.refused?.(record)
  }
}
