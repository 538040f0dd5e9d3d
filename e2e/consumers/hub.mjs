// A stranger's Node program that embeds the packed hub and serves it, and reads it back by every way of reading.
import { readEventStream } from '@downlink/client'
import { createHub } from '@downlink/hub'
import { serveHub } from '@downlink/hub/node'

const hub = createHub()
const server = await serveHub(hub, { host: '127.0.0.1' })
const { ids } = await hub.publish('orders', { type: 'paid', data: 'one' })

const page = await hub.read('orders', { after: 'start' })
const polled = await (await fetch(`${server.url}/channels/orders?transport=poll&after=start`)).json()
const stream = await fetch(`${server.url}/channels/orders?transport=sse&after=start`)
let streamed
for await (const event of readEventStream(stream.body)) {
  if (event.type === 'downlink:open') continue
  streamed = event
  break
}
await server.stop()
await hub.close()

const of = ({ type, data }) => ({ type, data })
console.log(
  JSON.stringify({
    events: [of(page.events[0]), of(polled.events[0]), of(streamed)],
    sameId: [page.events[0].id, polled.events[0].id, streamed.lastEventId].every((id) => id === ids[0]),
  }),
)
