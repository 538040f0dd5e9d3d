import { createHub } from '@downlink/hub'
import { nodeHandler } from '@downlink/hub/node'
import Fastify from 'fastify'

const hub = createHub()
const updates = nodeHandler(hub, { mount: '/updates', authorize: (_request, action) => action === 'read' })
const app = Fastify()

// A hook, not a route: before a route runs, Fastify has read the body, and the hub reads bodies itself.
app.addHook('onRequest', async (request, reply) => {
  if (!request.url.startsWith('/updates/')) return
  reply.hijack()
  await updates(request.raw, reply.raw)
})

app.post('/orders', async (request, reply) => {
  const { ids } = await hub.publish('orders', { type: 'created', data: JSON.stringify(request.body) })
  return reply.code(201).send({ id: ids[0] })
})

await app.listen({ port: Number(process.env.PORT ?? 3000) })
console.log('Listening', app.server.address())
