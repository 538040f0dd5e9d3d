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
