import { createHub } from '@downlink/hub'
import { createAuthorizer } from '@downlink/hub/auth'
import { serveHub } from '@downlink/hub/node'

const authorize = await createAuthorizer({
  rules: [
    { channels: 'news.**', allow: ['read'], to: 'anyone' },
    { channels: 'user.{sub}.**', allow: ['read'] }, // what is one's own, by the token's subject
    { channels: '**', allow: ['publish', 'end', 'inspect'], to: ['shop'] },
  ],
  jwt: { secret: process.env.DOWNLINK_SECRET ?? '' }, // at least 32 bytes, or it refuses to start
  onWarning: console.warn,
})

const { url } = await serveHub(createHub(), { port: Number(process.env.PORT ?? 4080), authorize })
console.log(`Listening on ${url}`)
