import { createHub } from '@downlink/hub'
import { fetchHandler } from '@downlink/hub/fetch'

const hub = createHub()
const updates = fetchHandler(hub, { mount: '/updates', authorize: (_request, action) => action === 'read' })

Deno.serve({ port: Number(Deno.env.get('PORT') ?? 3000) }, async (request) => {
  const { pathname } = new URL(request.url)
  if (pathname.startsWith('/updates/')) return updates(request)
  if (pathname !== '/orders' || request.method !== 'POST') return new Response(null, { status: 404 })
  const { ids } = await hub.publish('orders', { type: 'created', data: await request.text() })
  return Response.json({ id: ids[0] }, { status: 201 })
})
