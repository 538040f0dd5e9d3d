/** The cross-check: one poll from where reading stands. Polls are complete answers, which pass what holds streams back. */
import type { Page } from '@downlink/wire'
import type { Asker } from './ask.ts'
import { readPage } from './page-source.ts'
import type { Place } from './source.ts'
import { createWatchdog } from './watchdog.ts'

/** @returns the page; `no page` when something else was answered; undefined when nothing was, or a refusal */
export async function checkByPoll(
  asker: Asker,
  place: Place,
  signal: AbortSignal,
): Promise<Page | 'no page' | undefined> {
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  const watchdog = createWatchdog(asker.env, stop, stop)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    const answer = await readPage(asker, place, { expect: watchdog.expect, heard() {} }, abort.signal)
    if (!('kind' in answer)) return answer
    if (answer.kind !== 'failed') return undefined
    const { code, status = 0 } = answer.error
    return code === 'not-a-stream' || (code === 'refused' && status < 500 && !answer.byHub)
      ? 'no page'
      : undefined
  } finally {
    watchdog.expect()
    signal.removeEventListener('abort', stop)
  }
}
