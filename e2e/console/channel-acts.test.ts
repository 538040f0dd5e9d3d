/** What can be done with one channel in the console, and what the hub says against it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAuthorizer } from '@downlink/hub/auth'
import { SignJWT } from 'jose'
import { linkOf, row, shown } from '../helpers/channel-page.ts'
import { assertAccessible, startConsoleHub, useConsole } from '../helpers/console.ts'

const SECRET = 'the secret of a test, which is long enough to be one'

describe('the page of a channel', () => {
  const browser = useConsole()

  test('publishes by Ctrl+Enter, once though the answer got lost, and says what the hub refuses', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    const page = await shown(await browser.open(t, url, linkOf('fresh'), { expect: /ERR_FAILED|40[09]/ }))
    await page.getByText('No events yet.').waitFor()
    let lost = 0
    await page.route(/channels\/fresh/, async (route) => {
      if (route.request().method() !== 'POST' || lost++ > 0) return route.continue()
      await route.fetch()
      await route.abort()
    })
    const form = page.getByRole('form', { name: 'Publish a test event' })
    await form.getByLabel('Type').fill('paid')
    await form.getByLabel('Data').fill('{"total":7}')
    await form.getByLabel('Data').press('Control+Enter')
    const said = form.locator('output')
    await said.getByText('It was stored the first time, as').waitFor()
    await row(page, '{"total":7}').waitFor()
    assert.equal((await hub.read('fresh')).events.length, 1)
    await said.getByRole('button').click()
    await page.getByRole('region', { name: 'The event' }).getByRole('heading', { name: 'paid' }).waitFor()

    await form.getByLabel('Type').fill('downlink:open')
    await form.getByRole('button', { name: 'Publish' }).click()
    await said.getByText(/The hub says no \(400\):.*downlink:/).waitFor()
    await hub.end('fresh')
    await form.getByLabel('Type').fill('')
    await form.getByRole('button', { name: 'Publish' }).click()
    await said.getByText(/The hub says no \(409\):.*ended/).waitFor()
  })

  test('ends and erases after a question that names the channel, and goes on when it begins anew', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    await hub.publish('orders.42', { data: 'kept' })
    const page = await shown(await browser.open(t, url, linkOf('orders.42')))
    await row(page, 'kept').waitFor()
    const ask = page.getByRole('button', { name: 'End the channel…' })
    await ask.click()
    const dialog = page.getByRole('dialog', { name: 'End orders.42?' })
    await assertAccessible(page)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.equal((await hub.channels('orders.42'))[0]?.ended, false)
    assert.match(String(await page.evaluate('document.activeElement.textContent')), /End the channel/)
    await ask.click()
    await dialog.getByRole('button', { name: 'End orders.42' }).click()
    await row(page, 'The channel has ended').waitFor()
    assert.equal((await hub.channels('orders.42'))[0]?.ended, true)

    await page.getByRole('button', { name: 'Erase the channel…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Erase orders.42' }).click()
    await row(page, 'The channel was erased here').waitFor()
    assert.deepEqual((await hub.read('orders.42')).events, [])
    const form = page.getByRole('form', { name: 'Publish a test event' })
    await form.getByLabel('Data').fill('anew')
    await form.getByRole('button', { name: 'Publish' }).click()
    await row(page, 'anew').waitFor()
  })

  test('what one has no right to is refused in words', async (t) => {
    const authorize = await createAuthorizer({ jwt: { secret: SECRET, audience: 'downlink' } })
    const { hub, url } = await startConsoleHub(t, {}, { authorize })
    await hub.publish('orders.42', { data: 'seen' })
    const page = await browser.open(t, url, '#/channels/orders.42', { expect: /40[13]/ })
    const token = await new SignJWT({ downlink: { inspect: true, read: ['orders.*', '$hub.*'] } })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('reader')
      .setAudience('downlink')
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode(SECRET))
    await page.getByLabel('Token').fill(token)
    await page.getByRole('button', { name: /use/i }).click()
    await row(page, 'seen').waitFor()
    const form = page.getByRole('form', { name: 'Publish a test event' })
    await form.getByRole('button', { name: 'Publish' }).click()
    await form.getByText(/The hub says no \(403\)/).waitFor()
    for (const [act, yes] of [
      ['End the channel…', 'End orders.42'],
      ['Erase the channel…', 'Erase orders.42'],
    ] as const) {
      await page.getByRole('button', { name: act }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('button', { name: yes }).click()
      await dialog
        .getByRole('alert')
        .getByText(/may not|not allowed|orders\.42/i)
        .waitFor()
      await dialog.getByRole('button', { name: 'Cancel' }).click()
    }
    await page.goto(`${url}/#/channels/secret`)
    await page.getByText(/Nothing more comes: The hub says no \(403\)/).waitFor()
    assert.equal((await hub.read('orders.42')).events.length, 1)
  })
})
