/** The ways in which React renders: twice, in slices, on a server, hidden. `react-18.test.ts` runs this file with React 18. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closing, Orders, show, shows } from './app.ts'
import { createScreen } from './dom.ts'
import * as React from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { useLatest } from '@downlink/client/react'
import { startHub } from '../subscribe/hub.ts'

const { createElement: h, StrictMode } = React

test(`this is React ${process.env['REACT'] ?? '19'}`, () => {
  assert.equal(React.version.split('.')[0], process.env['REACT'] ?? '19')
})

test('strict mode, which mounts twice, opens one stream', async (t) => {
  const { hub, url, requests } = await startHub(t)
  await hub.publish('orders', [{ data: 'one' }, { data: 'two' }])
  const options = { after: 'start' }
  const { until } = show(t, h(StrictMode, null, h(Orders, { url: `${url}/channels/orders`, options })))
  await until(shows('open: one two'))
  await hub.publish('orders', { data: 'three' })
  await until(shows('open: one two three'))
  assert.equal(requests.length, 1)
})

test('components that are rendered in slices show the same event in each commit', async (t) => {
  const { hub, url } = await startHub(t)
  const target = `${url}/channels/orders`
  const commits: Set<unknown>[] = []
  const slices: number[] = []
  let renderings = 0
  let rendering = (): void => {}
  function Slow() {
    const latest = useLatest(target, { after: 'start' })
    renderings++
    rendering()
    const end = performance.now() + 2
    while (performance.now() < end);
    return h('u', null, latest?.data ?? 'none')
  }
  const slow = () => Array.from({ length: 20 }, (_, key) => h(Slow, { key }))
  let start: (round: number) => void = () => {}
  function App() {
    const [round, setRound] = React.useState(0)
    start = (next) => React.startTransition(() => setRound(next))
    React.useLayoutEffect(() => {
      commits.push(
        new Set(Array.from(screen.element.querySelectorAll('u'), ({ textContent }) => textContent)),
      )
    })
    return h('div', null, h('s', null, `round ${round}`), slow())
  }
  const screen = createScreen(t)
  show(t, h(App), screen)
  await screen.until((text) => text.startsWith('round 0'))
  await hub.publish('orders', { data: 'warm' })
  await screen.until((text) => text.endsWith('warm'))
  for (let round = 1; round <= 5; round++) {
    const before = renderings
    const begun = new Promise<void>((resolve) => (rendering = resolve))
    start(round)
    // Goes on in the middle of the transition, which gives way every 5 ms.
    await begun
    slices.push(renderings - before)
    await hub.publish('orders', { data: `event ${round}` })
    await screen.until((text) => text.startsWith(`round ${round}`) && text.endsWith(`event ${round}`))
  }
  assert.ok(
    slices.some((count) => count < 20),
    'no rendering was in slices',
  )
  for (const commit of commits) assert.equal(commit.size, 1, [...commit].join())
})

test('a server renders the first snapshot and asks for nothing; a page begins with the same, and follows', async (t) => {
  const { hub, url, requests } = await startHub(t)
  // As an app writes it: relative, which nobody could ask for on a server.
  assert.equal(renderToString(h(Orders, { url: '/channels/orders' })), '<p>connecting:</p>')
  const app = h(Orders, { url: `${url}/channels/orders`, options: { after: 'start' } })
  const html = renderToString(app)
  assert.equal(html, '<p>connecting:</p>')
  assert.equal(requests.length, 0)
  await hub.publish('orders', { data: 'one' })
  const screen = createScreen(t, html)
  const complaints = t.mock.method(console, 'error')
  const errors: unknown[] = []
  const rendered = screen.element.firstChild
  const root = hydrateRoot(screen.element, app, { onRecoverableError: (error) => errors.push(error) })
  t.after(() => root.unmount())
  await screen.until(shows('open: one'))
  assert.equal(screen.element.firstChild, rendered)
  assert.deepEqual(errors, [])
  assert.equal(complaints.mock.callCount(), 0)
})

test('a url that cannot be used is an error for the nearest boundary', async (t) => {
  class Boundary extends React.Component<{ readonly children: React.ReactNode }, { readonly code: string }> {
    override state = { code: '' }
    static getDerivedStateFromError = ({ code }: { readonly code: string }) => ({ code })
    override render() {
      return this.state.code || this.props.children
    }
  }
  t.mock.method(console, 'error', () => {})
  const { until } = show(t, h(Boundary, null, h(Orders, { url: 'ftp://localhost/' })))
  await until(shows('invalid-option'))
})

test(
  'what React hides and shows again goes on at the cursor',
  { skip: 'Activity' in React ? false : 'React 18 has no Activity' },
  async (t) => {
    const { hub, url, requests } = await startHub(t)
    const { Activity } = React
    const app = (mode: 'visible' | 'hidden') =>
      h(Activity, { mode, children: h(Orders, { url: `${url}/channels/orders` }) })
    const { until, root } = show(t, app('visible'))
    await until(shows('open:'))
    await hub.publish('orders', { data: 'one' })
    await until(shows('open: one'))
    const closed = closing(requests[0])
    root.render(app('hidden'))
    await closed
    await hub.publish('orders', { data: 'meanwhile' })
    root.render(app('visible'))
    await until(shows('open: one meanwhile'))
  },
)
