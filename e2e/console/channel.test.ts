/** One channel in the console: as it comes, and as it was. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { linkOf, list, publishMany, row, shown } from '../helpers/channel-page.ts'
import { assertAccessible, assertFits, startConsoleHub, useConsole } from '../helpers/console.ts'

describe('the page of a channel', () => {
  const browser = useConsole()

  test('shows events as they come, finds them by type and text, and each whole, as it came and in lines', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    await hub.publish('orders.42', [
      { data: '{"total":7,"of":"tea"}', type: 'paid' },
      { data: 'just a text' },
    ])
    const page = await shown(await browser.open(t, url, linkOf('orders.42')))
    await row(page, 'just a text').waitFor()
    await hub.publish('orders.42', { data: '{"total":8,"of":"cake"}', type: 'paid' })
    await row(page, 'cake').waitFor()
    assert.match((await row(page, 'cake').textContent()) ?? '', /paid.*23 B/)

    await page.getByLabel('Type').first().selectOption('paid')
    await row(page, 'just a text').waitFor({ state: 'detached' })
    await page.getByLabel('Filter').fill('TEA')
    await row(page, 'cake').waitFor({ state: 'detached' })
    await row(page, 'tea').click()
    const detail = page.getByRole('region', { name: 'The event' })
    assert.equal(await detail.locator('pre').textContent(), '{\n  "total": 7,\n  "of": "tea"\n}')
    await detail.getByRole('button', { name: 'Raw' }).click()
    assert.equal(await detail.locator('pre').textContent(), '{"total":7,"of":"tea"}')

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await detail.getByRole('button', { name: 'Copy the data' }).click()
    await detail.getByText('Copied').waitFor()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), '{"total":7,"of":"tea"}')
    await page.getByLabel('Filter').fill('nothing has this')
    await page.getByText(/None of the 3 events here fits/).waitFor()
  })

  test('stands still while paused, counts what came, and goes on with all of it', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    await publishMany(hub, 'a', 3)
    const page = await shown(await browser.open(t, url, linkOf('a')))
    await row(page, '{"n":3}').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await publishMany(hub, 'a', 2, 4)
    await page.getByText('Paused: 2 came meanwhile.').waitFor()
    assert.equal(await row(page, /"n":[45]/).count(), 0)
    await page.getByRole('button', { name: 'Go on' }).click()
    await row(page, '{"n":5}').waitFor()
    await publishMany(hub, 'a', 1, 6)
    await row(page, '{"n":6}').waitFor()
    assert.equal(await row(page, /"n":\d/).count(), 6)
  })

  test('reads history backwards by scrolling, stays where one looks, and comes back to the newest', async (t) => {
    const { hub, url } = await startConsoleHub(t, { retention: [{ channels: 'a', count: 2_500 }] })
    await publishMany(hub, 'a', 2_600)
    const page = await shown(await browser.open(t, url, linkOf('a')))
    await row(page, '{"n":2600}').waitFor()
    const look = (): Promise<[string, number]> =>
      page.evaluate<[string, number]>(`(() => {
        const list = document.querySelector('[role=listbox]')
        const at = list.getBoundingClientRect().top + 100
        const rows = [...list.querySelectorAll('[role=option]')]
        const row = rows.find((row) => row.getBoundingClientRect().bottom > at)
        return [row.querySelector('.ch-preview').textContent, row.getBoundingClientRect().top]
      })()`)
    await page.evaluate(`document.querySelector('[role=listbox]').scrollTop = 300`)
    const older = page.waitForResponse(/before=/)
    await page.evaluate(`document.querySelector('[role=listbox]').scrollTop = 240`)
    const before = await look()
    await (await older).finished()
    await page.waitForFunction(`document.querySelector('[role=listbox]').scrollTop > 1000`)
    const after = await look()
    assert.deepEqual([after[0], Math.round(after[1])], [before[0], Math.round(before[1])])

    // What comes meanwhile moves nothing either.
    await publishMany(hub, 'a', 5, 2_601)
    await page.getByRole('button', { name: 'To the newest: 5 came' }).waitFor()
    assert.deepEqual(await look(), after)

    const begin = row(page, 'Here history begins: older events were trimmed.')
    for (let presses = 0; presses < 200 && !(await begin.isVisible()); presses++)
      await Promise.all([list(page).press('Home'), page.waitForTimeout(30)])
    await row(page, '{"n":106}').waitFor()
    assert.ok((await list(page).getByRole('option').count()) < 80, 'only what can be seen is there')
    assert.ok(Number(await row(page, '{"n":106}').getAttribute('aria-setsize')) <= 2_001)

    await page.getByRole('button', { name: /To the newest/ }).click()
    await row(page, '{"n":2605}').waitFor()
    await publishMany(hub, 'a', 1, 2_606)
    await row(page, '{"n":2606}').waitFor()
  })

  test('goes to a cursor, on from there, and says what is none', async (t) => {
    const { hub, url } = await startConsoleHub(t, { retention: [{ channels: 'few', count: 3 }] })
    const ids = await publishMany(hub, 'a', 700)
    const page = await shown(await browser.open(t, url, linkOf('a')))
    await row(page, '{"n":700}').waitFor()
    const go = async (text: string): Promise<void> => {
      await page.getByLabel('Go to a cursor').fill(text)
      await page.getByRole('button', { name: 'Go', exact: true }).click()
    }
    await go('nonsense')
    await page.getByText('This is no cursor.').waitFor()
    await go('otherEpoch-17')
    await page.getByText('The hub can’t place this cursor').waitFor()
    await go(` ${ids[299]} `)
    await list(page).getByRole('option', { selected: true }).filter({ hasText: '{"n":300}' }).waitFor()
    assert.equal(await page.evaluate('document.activeElement.getAttribute("role")'), 'listbox')
    await page
      .getByRole('region', { name: 'The event' })
      .getByText(ids[299] ?? '')
      .waitFor()
    await assertAccessible(page)

    // Forward, page by page, until what is held behind.
    for (let presses = 0; presses < 100 && !(await row(page, '{"n":700}').isVisible()); presses++)
      await Promise.all([list(page).press('End'), page.waitForTimeout(30)])
    await row(page, '{"n":700}').waitFor()

    const few = await publishMany(hub, 'few', 6)
    await page.goto(`${url}/#/channels/few`)
    await row(page, '{"n":6}').waitFor()
    await go(few[1] ?? '')
    await row(page, /history begins: older events were trimmed/).waitFor()
    await row(page, '{"n":4}').waitFor()
  })

  test('a pattern shows the channel of each event, and is only for reading', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    await hub.publish(['orders.1', 'orders.2', 'other'], { data: 'hello' })
    const page = await shown(await browser.open(t, url, linkOf('orders.**')))
    await row(page, /orders\.1.*hello/).waitFor()
    await row(page, /orders\.2.*hello/).waitFor()
    assert.equal(await list(page).getByRole('option').filter({ hasText: 'other' }).count(), 0)
    await page.getByText('reads 2 channels just now').waitFor()
    await page.getByText('This is a pattern').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Publish' }).count(), 0)
    await page.getByRole('button', { name: 'EventSource' }).click()
    await page.getByLabel('EventSource', { exact: true }).getByText('orders.**').waitFor()
    await page.goto(`${url}/#/channels/$hub.vitals`)
    await row(page, 'streams').first().waitFor()
    await page.getByText('only the hub publishes here').waitFor()
  })

  test('two hundred events a second leave the page calm, and focus where it was', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    await publishMany(hub, 'busy', 2_000)
    const page = await shown(await browser.open(t, url, linkOf('busy')))
    await row(page, '{"n":2000}').waitFor()
    await list(page).focus()
    await page.evaluate(`
      globalThis.longest = 0
      new PerformanceObserver((seen) => {
        for (const { duration } of seen.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration)
      }).observe({ entryTypes: ['longtask'] })`)
    for (let n = 0; n < 400; n += 10) {
      await publishMany(hub, 'busy', 10, 2_001 + n)
      await page.waitForTimeout(50)
    }
    await row(page, '{"n":2400}').waitFor()
    assert.ok((await list(page).getByRole('option').count()) < 80)
    assert.equal(await page.evaluate('document.activeElement.getAttribute("role")'), 'listbox')
    // 50 ms on a machine that does nothing else; this one runs tests.
    assert.ok((await page.evaluate<number>('longest')) < 250)
    await list(page).press('ArrowUp')
    await list(page).getByRole('option', { selected: true }).waitFor()
  })

  for (const [width, scheme, language, chosen] of [
    [390, 'dark', 'ru', 'Событие'],
    [820, 'light', 'en', 'The event'],
  ] as const) {
    test(`fits ${width} px, ${scheme}, in ${language}, and nothing is in the way of anybody`, async (t) => {
      const { hub, url } = await startConsoleHub(t)
      const name = `a.${'very-long-name-'.repeat(12)}end`
      await hub.publish(name, [{ data: `{"long":"${'word'.repeat(500)}"}`, type: 'x'.repeat(200) }])
      await hub.publish(name, { data: 'last' }, { end: true })
      const page = await shown(await browser.open(t, url, linkOf(name), { width, scheme, language }))
      await row(page, 'last').waitFor()
      await row(page, 'wordword').click()
      await page.getByRole('region', { name: chosen }).locator('pre').waitFor()
      await assertFits(page)
      await assertAccessible(page)
    })
  }
})
