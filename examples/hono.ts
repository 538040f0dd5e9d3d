import { createHub } from '@downlink/hub'
import { fetchHandler } from '@downlink/hub/fetch'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const hub = createHub()
const updates = fetchHandler(hub, { mount: '/updates', authorize: (_request, action) => action === 'read' })
const app = new Hono()

app.all('/updates/*', (c) => updates(c.req.raw))

app.post('/orders', async (c) => {
  const { ids } = await hub.publish('orders', { type: 'created', data: JSON.stringify(await c.req.json()) })
  return c.json({ id: ids[0] }, 201)
})

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, (info) => console.log('Listening', info))
