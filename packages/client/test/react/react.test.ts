/** The hooks in real React, over real streams of a real hub. `react-18.test.ts` runs this file with React 18. */
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import { createScreen, type Screen } from './dom.ts'
import * as React from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import type { StandardSchema } from '@downlink/client'
import { useConnection, useEvents, useLatest, type UseEventsOptions } from '@downlink/client/react'
import { startHub } from '../subscribe/hub.ts'

const { createElement: h, StrictMode } = React

/** Renders, and unmounts when the test is over, so that its streams end. */
function show(t: TestContext, node: React.ReactNode, screen: Screen = createScreen(t)) {
  const root = createRoot(screen.element)
  t.after(() => root.unmount())
  root.render(node)
  return { ...screen, root }
}

interface Props {
  readonly url: string | null
  readonly options?: UseEventsOptions
}

/** `open: one two` */
function Orders({ url, options }: Props) {
  const { events, connection } = useEvents(url, options)
  return h('p', null, `${connection.phase}:${events.map(({ data }) => ` ${data}`).join('')}`)
}

const closing = (request: IncomingMessage | undefined): Promise<void> =>
  new Promise((resolve) => request?.on('error', () => {}).once('close', resolve))
const shows = (expected: string) => (text: string) => text === expected
const streams = (requests: readonly IncomingMessage[]): number => requests.length

test(`this is React ${process.env['REACT'] ?? '19'}`, () => {
  assert.equal(React.version.split('.')[0], process.env['REACT'] ?? '19')
})

test('it shows what comes, and unmounting closes the stream', async (t) => {
  const { hub, url, requests } = await startHub(t)
  const { until, root } = show(t, h(Orders, { url: `${url}/channels/orders` }))
  await until(shows('open:'))
  await hub.publish('orders', { data: 'one' })
  await until(shows('open: one'))
  const closed = closing(requests[0])
  root.unmount()
  await closed
})

test('strict mode, which mounts twice, opens one stream', async (t) => {
  const { hub, url, requests } = await startHub(t)
  await hub.publish('orders', [{ data: 'one' }, { data: 'two' }])
  const options = { after: 'start' }
  const { until } = show(t, h(StrictMode, null, h(Orders, { url: `${url}/channels/orders`, options })))
  await until(shows('open: one two'))
  await hub.publish('orders', { data: 'three' })
  await until(shows('open: one two three'))
  assert.equal(streams(requests), 1)
})

test('components that ask for the same share one stream, though each rendering makes its options anew', async (t) => {
  const { hub, url, requests } = await startHub(t)
  const target = `${url}/channels/orders`
  const options = (): UseEventsOptions => ({
    last: 5,
    headers: async () => ({ 'x-a': 'b' }),
    fetch: (...request) => fetch(...request),
    limits: { minWaitMs: 1 },
  })
  function Latest() {
    const latest = useLatest(target, options())
    return h('b', null, `latest ${latest?.data ?? 'none'} `)
  }
  function Connection() {
    return h('i', null, useConnection(target, options()).phase)
  }
  function App() {
    const [late, setLate] = React.useState(false)
    React.useEffect(() => setLate(true), [])
    return h(
      'div',
      null,
      h(Latest),
      h(Connection),
      late ? h(Orders, { url: target, options: options() }) : null,
    )
  }
  const { until } = show(t, h(App))
  await until(shows('latest none openopen:'))
  await hub.publish('orders', { data: 'one' })
  await until(shows('latest one openopen: one'))
  assert.equal(streams(requests), 1)
})

test('other options, or another key, are another stream', async (t) => {
  const { hub, url, requests } = await startHub(t)
  await hub.publish('orders', [{ data: 'one' }, { data: 'two' }])
  const target = `${url}/channels/orders`
  const options: UseEventsOptions[] = [
    { last: 1 },
    { last: 2 },
    { last: 2, key: 'ann' },
    { last: 2, key: 'bob' },
  ]
  const list = options.map((options, key) => h(Orders, { url: target, options, key }))
  const { until } = show(t, h('div', null, list))
  await until(shows('open: twoopen: one twoopen: one twoopen: one two'))
  assert.equal(streams(requests), 4)
})

test('another url is another stream, shows nothing of the old, and closes it', async (t) => {
  const { hub, url, requests } = await startHub(t)
  await hub.publish('a', { data: 'of a' })
  await hub.publish('b', { data: 'of b' })
  const options = { after: 'start' }
  const { until, root } = show(t, h(Orders, { url: `${url}/channels/a`, options }))
  await until(shows('open: of a'))
  const closed = closing(requests[0])
  root.render(h(Orders, { url: `${url}/channels/b`, options }))
  await until((text) => !text.includes('of a'))
  await until(shows('open: of b'))
  await closed
  assert.equal(streams(requests), 2)
})

test('as long as the url is null nothing is asked for', async (t) => {
  const { hub, url, requests } = await startHub(t)
  await hub.publish('orders', { data: 'one' })
  const options = { after: 'start' }
  const { until, root } = show(t, h(Orders, { url: null, options }))
  await until(shows('closed:'))
  assert.equal(streams(requests), 0)
  root.render(h(Orders, { url: `${url}/channels/orders`, options }))
  await until(shows('open: one'))
})

test('the functions of the last rendering are asked, and a new function opens no stream', async (t) => {
  const { hub, url, requests, cut } = await startHub(t)
  const target = `${url}/channels/orders`
  const withToken = (token: string) =>
    h(Orders, { url: target, options: { headers: () => ({ 'x-token': token }), limits: { minWaitMs: 1 } } })
  const { until, root } = show(t, withToken('first'))
  await until(shows('open:'))
  root.render(withToken('second'))
  await hub.publish('orders', { data: 'one' })
  await until(shows('open: one'))
  assert.equal(streams(requests), 1)
  cut()
  await hub.publish('orders', { data: 'two' })
  await until(shows('open: one two'))
  assert.deepEqual(
    requests.map(({ headers }) => headers['x-token']),
    ['first', 'second'],
  )
})

function schema(prefix: string): StandardSchema<string> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ value: `${prefix}${String(value)}` }),
    },
  }
}

test('components with other schemas do not share what was parsed; a schema made by each rendering opens one stream', async (t) => {
  const { hub, url, requests } = await startHub(t)
  const target = `${url}/channels/orders`
  function Inline({ prefix }: { readonly prefix: string }) {
    return h(Orders, { url: target, options: { parse: { message: schema(prefix) } } })
  }
  const { until } = show(t, h('div', null, h(Inline, { prefix: 'a' }), h(Inline, { prefix: 'b' })))
  await until(shows('open:open:'))
  await hub.publish('orders', { data: '1' })
  await until(shows('open: a1open: b1'))
  await hub.publish('orders', { data: '2' })
  await until(shows('open: a1 a2open: b1 b2'))
  assert.equal(streams(requests), 2)
})

test('useLatest renders for another latest event, and useConnection for another state, and for nothing else', async (t) => {
  const { hub, url, cut } = await startHub(t)
  const target = `${url}/channels/orders`
  const options = { limits: { minWaitMs: 1 } }
  const seen: { latest: unknown[]; phases: string[] } = { latest: [], phases: [] }
  function Latest() {
    const latest = useLatest(target, options)
    seen.latest.push(latest?.data)
    return null
  }
  function Connection() {
    const { phase } = useConnection(target, options)
    seen.phases.push(phase)
    return null
  }
  const { until } = show(t, h('div', null, h(Latest), h(Connection), h(Orders, { url: target, options })))
  await until(shows('open:'))
  await hub.publish('orders', { data: 'one' })
  await until(shows('open: one'))
  const phases = seen.phases.length
  await hub.publish('orders', { data: 'two' })
  await until(shows('open: one two'))
  assert.equal(seen.phases.length, phases)
  cut()
  await until((text) => !text.startsWith('open'))
  await until(shows('open: one two'))
  assert.deepEqual(seen.latest, [undefined, 'one', 'two'])
  assert.ok(seen.phases.length > phases)
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
  assert.equal(streams(requests), 0)
  await hub.publish('orders', { data: 'one' })
  const screen = createScreen(t, html)
  const errors: unknown[] = []
  const rendered = screen.element.firstChild
  const root = hydrateRoot(screen.element, app, { onRecoverableError: (error) => errors.push(error) })
  t.after(() => root.unmount())
  await screen.until(shows('open: one'))
  assert.equal(screen.element.firstChild, rendered)
  assert.deepEqual(errors, [])
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
