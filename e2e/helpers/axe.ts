/** Axe for many looks at one page: its source is given to the page once, and each look takes a tenth of a second. */
import assert from 'node:assert/strict'
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** Once for each page that is loaded; going from place to place in the console loads none. */
export async function useAxe(page: Page): Promise<void> {
  await page.evaluate(axe.source)
}

/** Fails with what axe finds within `main`, once the page has been laid out. */
export async function assertNothingFound(page: Page, where: string): Promise<void> {
  await page.evaluate('new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))')
  const found = await page.evaluate<string[]>(`
    axe.run('main', { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.map(({ id, nodes: [{ html, failureSummary }] }) => id + ': ' + html + ' ' + failureSummary))`)
  assert.deepEqual(found, [], where)
}
