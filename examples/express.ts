import { createHub } from '@downlink/hub'
import { nodeHandler } from '@downlink/hub/node'
import express from 'express'

const hub = createHub()
const app = express()

// Everyone may read; only this program publishes. It comes before body parsers: the hub reads bodies itself.
app.use('/updates', nodeHandler(hub, { authorize: (_request, action) => action === 'read' }))
app.use(express.json())

app.post('/orders', async (req, res) => {
  const { ids } = await hub.publish('orders', { type: 'created', data: JSON.stringify(req.body) })
  res.status(201).json({ id: ids[0] })
})

const server = app.listen(Number(process.env.PORT ?? 3000), () => console.log('Listening', server.address()))
