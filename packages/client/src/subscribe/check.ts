/** The cross-check: one poll from where reading stands. Polls are complete answers, which pass what holds streams back. */
import type { Page } from '@downlink/wire'
import type { Asker } from './ask.ts'
import type { SubscribeError } from './error.ts'
import { readPage } from './page-source.ts'
import type { Place } from './source.ts'

/** @returns the page; `no page` when something else was answered; undefined when nothing was, or a refusal of the hub's */
export async function checkByPoll(
  asker: Asker,
  place: Place,
  signal: AbortSignal,
): Promise<Page | 'no page' | undefined> {
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const cancel = asker.env.after(asker.limits.connectMs, stop)
  try {
    return await readPage(asker, place, () => {}, abort.signal)
  } catch (error) {
    const { code, status = 0, problem } = error as SubscribeError
    return code === 'not-a-stream' || (code === 'refused' && status < 500 && !problem) ? 'no page' : undefined
  } finally {
    cancel()
    signal.removeEventListener('abort', stop)
  }
}
