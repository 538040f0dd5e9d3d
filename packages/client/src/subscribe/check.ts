/** The cross-check: one poll from where reading stands. Polls are complete answers, which pass what holds streams back. */
import type { Page } from '@downlink/wire'
import type { Asker } from './ask.ts'
import { SubscribeError } from './error.ts'
import { readPage } from './page-source.ts'
import { startReading } from './reading.ts'
import type { Place } from './source.ts'

/** @returns the page; `no page` when something else was answered; undefined when nothing was, or a refusal of the hub's */
export async function checkByPoll(
  asker: Asker,
  place: Place,
  signal: AbortSignal,
): Promise<Page | 'no page' | undefined> {
  let page: Page | undefined
  const reading = startReading(
    {
      transport: 'poll',
      async read(_, to, signal) {
        page = await readPage(asker, place, to, signal)
        return 'over'
      },
    },
    place,
    asker.env,
  )
  const stop = (): void => reading.end()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const outcome = await reading.done
  signal.removeEventListener('abort', stop)
  if (page || !(outcome instanceof SubscribeError)) return page
  const { code, status = 0, problem } = outcome
  return code === 'not-a-stream' || (code === 'refused' && status < 500 && !problem) ? 'no page' : undefined
}
