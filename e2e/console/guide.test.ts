/** The guide in the console, as one reads it. What of it is alive: guide-live.test.ts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Locator } from 'playwright-core'
import { readAll } from '../../apps/console/build/guide-plugin.ts'
import { assertNothingFound, useAxe } from '../helpers/axe.ts'
import { assertFits, startConsoleHub, useConsole } from '../helpers/console.ts'

const guide = readAll()

describe('the guide in the console', () => {
  const browser = useConsole()

  test('chapters follow one another by keyboard, with the focus where one reads on', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await browser.open(t, url, '#/guide')
    await page.getByRole('link', { name: 'One-way updates' }).press('Enter')
    const title = (name: string): Locator => page.getByRole('heading', { level: 1, name })
    // The focus comes a moment after what it is on.
    const focused = (text: string | RegExp): Promise<void> =>
      page.locator(':focus').filter({ hasText: text }).waitFor()
    await title('One-way updates').waitFor()
    await focused(/^One-way updates$/)
    await page.locator('.skip').press('Enter')
    await page.locator('#main:focus').waitFor()
    await title('One-way updates').waitFor()
    await page.locator('a[rel=next]').press('Enter')
    await title('Polling, long polling, or Server-Sent Events').waitFor()
    await focused(/^Polling, long polling, or Server-Sent Events$/)
    assert.equal(await page.evaluate('scrollY'), 0)
    await page.goto(`${url}/#/guide/11-production/who-may-read`)
    await title('From a first page to production').waitFor()
    await focused(/^Who may read/)
    await page.getByRole('button', { name: 'Русский' }).click()
    await title('От первой страницы до работы').waitFor()
    await page.goBack()
    await title('Опрос, длинный опрос или Server-Sent Events').waitFor()
    // Effects run when it has been painted.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))')
    assert.equal(await page.title(), 'Опрос, длинный опрос или Server-Sent Events · Downlink')
  })

  for (const language of ['en', 'ru'] as const) {
    test(`axe finds nothing, and nothing sticks out, in ${language}`, async (t) => {
      const { url } = await startConsoleHub(t)
      const page = await browser.open(t, url, '#/guide', { language })
      await useAxe(page)
      for (const { slug, title } of [{ slug: '', title: '' }, ...guide[language].chapters]) {
        await page.goto(`${url}/#/guide/${slug}`)
        await page.getByRole('heading', { level: 1, name: title }).waitFor()
        for (const [width, colorScheme] of [
          [390, 'light'],
          [1440, 'dark'],
        ] as const) {
          await page.setViewportSize({ width, height: 900 })
          await page.emulateMedia({ colorScheme })
          await assertNothingFound(page, `${slug} at ${width} px`)
          await assertFits(page)
        }
      }
    })
  }
})
