/** The page as a whole: it comes, lives, and lets in who may. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAuthorizer } from '@downlink/hub/auth'
import { SignJWT } from 'jose'
import { assertAccessible, assertFits, startConsoleHub, useConsole } from '../helpers/console.ts'

const SECRET = 'the secret of a test, which is long enough to be one'

describe('the console', () => {
  const browser = useConsole()

  for (const [language, live, channels] of [
    ['en', 'live', 'Channels'],
    ['ru', 'на связи', 'Каналы'],
  ] as const) {
    test(`is live, in ${language}, on each page, at each width`, async (t) => {
      const { hub, url } = await startConsoleHub(t)
      await hub.publish('orders.42', [{ data: '{"total":7}', type: 'paid' }])
      const page = await browser.open(t, url, '', { language })
      await page.getByRole('status').filter({ hasText: live }).waitFor()
      assert.equal(await page.getAttribute('html', 'lang'), language)
      await page.getByRole('link', { name: channels }).click()
      await page.getByRole('link', { name: 'orders.42' }).waitFor()
      for (const hash of ['#/', '#/channels', '#/channels/orders.42', '#/readers']) {
        await page.goto(`${url}/${hash}`)
        await page.locator('main h1').waitFor()
        for (const [width, colorScheme] of [
          [390, 'light'],
          [820, 'light'],
          [1440, 'dark'],
        ] as const) {
          await page.setViewportSize({ width, height: 900 })
          await page.emulateMedia({ colorScheme })
          if (width !== 820) await assertAccessible(page)
          await assertFits(page)
        }
      }
    })
  }

  test('asks for a token where there are rules, and shows what it allows', async (t) => {
    const authorize = await createAuthorizer({ jwt: { secret: SECRET, audience: 'downlink' } })
    const { url } = await startConsoleHub(t, {}, { authorize })
    const page = await browser.open(t, url, '', { expect: /40[13]/ })
    const token = await new SignJWT({ downlink: { inspect: true, read: ['**'] } })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('root')
      .setAudience('downlink')
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode(SECRET))
    await page.getByLabel('Token').fill(token)
    await page.getByRole('button', { name: /use/i }).click()
    await page.getByRole('status').filter({ hasText: 'live' }).waitFor()
    await page.locator('main h1').waitFor()
    await assertAccessible(page)
  })
})
