/** From connection to connection without a loss or a repeat. */
import { setTimeout as sleep } from 'node:timers/promises'
import { waitAfter } from './backoff.ts'
import { Failure, reasonOf } from './failure.ts'
import { Outage } from './outage.ts'
import type { Place, TailItem, TailRequest } from './tail-item.ts'
import { readPages } from './tail-pages.ts'
import { Refused } from './tail-request.ts'
import { readStream } from './tail-stream.ts'

/** A hub's default, until one has said what its own is. */
const HEARTBEAT_MS = 15_000

/**
 * All that comes, until nothing more can come: then it returns.
 *
 * @param tell What people should know: that the hub is away, that it is back
 * @throws {Failure} when the hub refuses for good
 */
export async function* tailItems(
  request: TailRequest,
  tell: (line: string) => void,
): AsyncGenerator<readonly TailItem[], void, void> {
  const place: Place = { retryMs: 0, heartbeatMs: HEARTBEAT_MS }
  const outage = new Outage(tell)
  const connect = request.transport === 'sse' ? readStream : readPages
  let hurried = false
  for (;;) {
    let open = false
    let asked = 0
    let problem = `The hub at ${request.hub} hangs up at once`
    try {
      const outcome = yield* connect(request, place, () => {
        open = true
        outage.worked()
      })
      if (outcome === 'over') return
      // The stream ended because its channels did. Asking once more makes sure, and there is no crowd to be spread.
      hurried = outcome === 'ended' && !hurried
      if (hurried) continue
    } catch (error) {
      if (error instanceof Failure) throw error
      if (error instanceof Refused) {
        if (error.refusal.lasting) throw new Failure(error.message, { cause: error })
        open = false
        asked = error.refusal.retryAfterMs
        problem = error.message
      } else {
        problem = `No hub answers at ${request.hub} (${reasonOf(error)})`
      }
    }
    // A stream that has worked and ends is nothing to tell: streams have an age, hubs are restarted.
    if (!open) outage.failed(problem)
    await sleep(waitAfter(outage.failures, Math.random, Math.max(asked, place.retryMs)))
  }
}
