// A stranger's program with the packed hub behind a web-standard fetch handler. It runs in Node, Bun and Deno.
import { createHub } from '@downlink/hub'
import { fetchHandler } from '@downlink/hub/fetch'

const hub = createHub()
const handle = fetchHandler(hub)
const published = await handle(
  new Request('http://localhost/channels/orders?type=paid', { method: 'POST', body: 'one' }),
)
const { ids } = await published.json()
const read = await handle(new Request('http://localhost/channels/orders?transport=poll&after=start'))
const { events } = await read.json()
await hub.close()
console.log(
  JSON.stringify({
    type: events[0].type,
    data: events[0].data,
    count: events.length,
    sameId: events[0].id === ids[0],
  }),
)
