/** The page of one channel, as the tests of the console see it. */
import type { Hub } from '@downlink/hub'
import type { Locator, Page } from 'playwright-core'

/** Where its page is. */
export function linkOf(channel: string): string {
  return `#/channels/${encodeURIComponent(channel)}`
}

/** The page is there. A test that waits in vain on it says for what. */
export async function shown(page: Page): Promise<Page> {
  page.setDefaultTimeout(10_000)
  await page.locator('main h1').waitFor()
  return page
}

export function list(page: Page): Locator {
  return page.getByRole('listbox')
}

/** Lines of the list with this text. */
export function row(page: Page, text: string | RegExp): Locator {
  return list(page).getByRole('option').filter({ hasText: text })
}

/** Events `{"n":1}`, `{"n":2}` and so on. */
export async function publishMany(
  hub: Hub,
  channel: string,
  count: number,
  from = 1,
): Promise<readonly string[]> {
  const events = Array.from({ length: count }, (_, n) => ({ data: `{"n":${from + n}}` }))
  return (await hub.publish(channel, events)).ids
}

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly args: { readonly name?: string }
  /** CPU time, in microseconds. */
  readonly tdur?: number
}

/**
 * What the tasks of the page's main thread cost, until the function returned is called: milliseconds of CPU. By the clock they
 * would take longer, on a machine that does something else besides.
 */
export async function traceTasks(page: Page): Promise<() => Promise<readonly number[]>> {
  const browser = page.context().browser()
  if (!browser) throw new Error('Expected a page in a browser')
  await browser.startTracing(page, {
    categories: ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'],
  })
  return async () => {
    const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as {
      traceEvents: readonly TraceEvent[]
    }
    const of = ({ pid, tid }: TraceEvent): string => `${pid}.${tid}`
    const main = new Set(
      traceEvents
        .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
        .map(of),
    )
    return traceEvents
      .filter((event) => /RunTask/.test(event.name) && main.has(of(event)) && event.tdur !== undefined)
      .map(({ tdur = 0 }) => tdur / 1000)
  }
}
