// A stranger's program that uses the packed `wire` and `client`. It runs in Node 20, 22 and 24, in Bun and in Deno.
import { createServer } from 'node:http'
import { EventSource, readEventStream, subscribe } from '@downlink/client'
import { share } from '@downlink/client/share'
import { eventStore } from '@downlink/client/store'
import { encodeEvent, parseCursor, WireError } from '@downlink/wire'

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(encodeEvent({ id: 'e1-7', type: 'paid', data: 'one\ntwo' }) + encodeEvent({ data: 'ключ' }))
})
server.listen(0, '127.0.0.1', async () => {
  const seen = []
  const response = await fetch(`http://127.0.0.1:${server.address().port}/`)
  for await (const event of readEventStream(response.body))
    seen.push([event.lastEventId, event.type, event.data])
  const source = new EventSource(`http://127.0.0.1:${server.address().port}/`)
  const told = await new Promise((resolve) => source.addEventListener('paid', resolve))
  source.close()
  const store = eventStore(`http://127.0.0.1:${server.address().port}/`, { hub: false, lingerMs: 0 })
  const stored = await new Promise((resolve) => {
    const stop = store.subscribe(() => {
      const { latest, events } = store.getSnapshot()
      if (latest?.data !== 'ключ') return
      stop()
      resolve(events.map(({ data }) => data))
    })
  })
  // A server that is no hub: it is read alone.
  const updates = subscribe(`http://127.0.0.1:${server.address().port}/`, { share: share('ann') })
  const shared = []
  for await (const { data } of updates) if (shared.push(data) === 2) break
  const cursor = parseCursor('e1-7')
  let refused
  try {
    parseCursor('garbage')
  } catch (error) {
    refused = error instanceof WireError ? error.code : error
  }
  console.log(JSON.stringify({ seen, told: [told.data, told.lastEventId], stored, shared, cursor, refused }))
  server.close()
  server.closeAllConnections?.()
})
