/** The cross-check: one poll from where reading stands. Polls are complete answers, which pass what holds streams back. */
import type { Page } from '@downlink/wire'
import { abortable, type Asker, pause } from './ask.ts'
import type { SubscribeError } from './error.ts'
import { readPage } from './page-source.ts'
import type { Place } from './source.ts'

/** @returns the page; `no page` when something else was answered; undefined when nothing was, or a refusal of the hub's */
export async function checkByPoll(
  asker: Asker,
  place: Place,
  signal: AbortSignal,
): Promise<Page | 'no page' | undefined> {
  const { env, limits } = asker
  const abort = new AbortController()
  const page = readPage(asker, place, () => {}, abort.signal)
  const late = pause(env, limits.connectMs, abort.signal).then(() => undefined)
  try {
    return await abortable(Promise.race([page, late]), signal)
  } catch (error) {
    const { code, status = 0, problem } = error as SubscribeError
    return code === 'not-a-stream' || (code === 'refused' && status < 500 && !problem) ? 'no page' : undefined
  } finally {
    abort.abort()
  }
}
