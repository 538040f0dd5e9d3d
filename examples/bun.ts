import { createHub } from '@downlink/hub'
import { fetchHandler } from '@downlink/hub/fetch'

const hub = createHub()
const updates = fetchHandler(hub, { mount: '/updates', authorize: (_request, action) => action === 'read' })

const server = Bun.serve({
  port: Number(process.env.PORT ?? 3000),
  idleTimeout: 60, // seconds; Bun's own 10 would cut streams between two heartbeats
  routes: {
    '/updates/*': (request) => updates(request),
    '/orders': {
      async POST(request) {
        const { ids } = await hub.publish('orders', { type: 'created', data: await request.text() })
        return Response.json({ id: ids[0] }, { status: 201 })
      },
    },
  },
})
console.log(`Listening on ${server.url}`)
