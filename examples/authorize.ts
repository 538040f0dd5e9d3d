import { randomUUID } from 'node:crypto'
import { createHub } from '@downlink/hub'
import { type Authorize, serveHub } from '@downlink/hub/node'

const publisher = process.env.PUBLISH_TOKEN ?? randomUUID()
const sessions = new Map([['5f1c', 'anna']]) // in the place of your own

// An EventSource sends cookies, but no headers. Anna reads the news and what is hers; who has the token may do all.
const authorize: Authorize = (request, action, channels) => {
  if (request.header('authorization') === `Bearer ${publisher}`) return { subject: 'publisher' }
  if (action === 'health') return true
  const session = /(?:^|; )session=(\w+)/.exec(request.header('cookie') ?? '')?.[1]
  const user = sessions.get(session ?? '')
  const mine = ['news', `user.${user}`]
  return action === 'read' && user !== undefined && channels.every((channel) => mine.includes(channel))
}

const { url } = await serveHub(createHub(), {
  port: Number(process.env.PORT ?? 4080),
  origins: ['https://app.example'], // pages elsewhere that may read, and write
  compress: ['news'], // streams sent as gzip to who accepts it: not what strangers write to and is secret
  authorize,
})
console.log(`Listening on ${url}`)
