import { createServer } from 'node:http'
import { createHub } from '@downlink/hub'
import { nodeHandler } from '@downlink/hub/node'

const hub = createHub()
// Everyone may read; only this program publishes.
const updates = nodeHandler(hub, { mount: '/updates', authorize: (_request, action) => action === 'read' })

const page = `<!doctype html><output id="clock"></output><script>
  new EventSource('/updates/channels/clock?last=1').onmessage = (event) => (clock.value = event.data)
</script>`

const server = createServer((req, res) => {
  if (req.url?.startsWith('/updates/')) void updates(req, res)
  else res.writeHead(200, { 'content-type': 'text/html' }).end(page)
})
server.listen(Number(process.env.PORT ?? 3000), () => console.log('Listening', server.address()))

const ticking = setInterval(() => void hub.publish('clock', { data: new Date().toISOString() }), 1000)
process.once('SIGTERM', () => {
  clearInterval(ticking)
  server.close()
  hub.drain() // ends the streams, so that the server can close
})
