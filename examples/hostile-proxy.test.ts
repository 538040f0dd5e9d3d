import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventSource } from '@downlink/client'
import { createHub } from '@downlink/hub'
import { serveHub } from '@downlink/hub/node'
import { hostileProxy } from '@downlink/hub/testing'

test('a page has each order once, over a proxy that cuts every stream', async (t) => {
  const hub = createHub({ delivery: { retryMs: 10 } })
  const server = await serveHub(hub)
  t.after(() => server.stop())
  const proxy = await hostileProxy(server.url, { fault: { only: 'streams', cut: { afterBytes: 200 } } })
  t.after(() => proxy.close())

  const sent = Array.from({ length: 20 }, (_, index) => `order ${index}`)
  for (const order of sent) await hub.publish('orders', { data: order })

  const source = new EventSource(`${proxy.url}/channels/orders?after=start`)
  t.after(() => source.close())
  const shown: string[] = []
  source.addEventListener('message', ({ data }) => shown.push(data))

  await proxy.until(() => proxy.requestsTo('/channels/orders') === 5)
  proxy.set({}) // heals: nothing is cut from now on
  while (shown.length < sent.length)
    await new Promise((resolve) => source.addEventListener('message', resolve))
  assert.deepEqual(shown, sent)
})
