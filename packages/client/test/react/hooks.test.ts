/** Which streams the hooks open, and what they show of them: in real React, over a real hub. `react-18.test.ts` runs this file with React 18. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closing, Orders, show, shows } from './app.ts'
import { createElement as h, useEffect, useState } from 'react'
import type { StandardSchema } from '@downlink/client'
import { useConnection, useLatest, type UseEventsOptions } from '@downlink/client/react'
import { startHub } from '../subscribe/hub.ts'

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

test('what is mounted after it has closed begins anew', async (t) => {
  const { hub, url, requests } = await startHub(t)
  await hub.publish('orders', [{ data: 'one' }, { data: 'two' }])
  const app = h(Orders, { url: `${url}/channels/orders`, options: { last: 1 } })
  const { until, root } = show(t, app)
  await until(shows('open: two'))
  const closed = closing(requests[0])
  root.render(null)
  await closed
  await hub.publish('orders', [{ data: 'three' }, { data: 'four' }])
  root.render(app)
  await until(shows('connecting:'))
  await until(shows('open: four'))
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
    const [late, setLate] = useState(false)
    useEffect(() => setLate(true), [])
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
  assert.equal(requests.length, 1)
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
  assert.equal(requests.length, 4)
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
  assert.equal(requests.length, 2)
})

test('as long as the url is null nothing is asked for', async (t) => {
  const { hub, url, requests } = await startHub(t)
  await hub.publish('orders', { data: 'one' })
  const options = { after: 'start' }
  const { until, root } = show(t, h(Orders, { url: null, options }))
  await until(shows('closed:'))
  assert.equal(requests.length, 0)
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
  assert.equal(requests.length, 1)
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
  assert.equal(requests.length, 2)
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
