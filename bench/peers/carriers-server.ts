/** The hub on a memory log, on two ports: one plain, for HTTP/1.1 and HTTP/2, and one with TLS, for both. */
import { createHub } from '@downlink/hub'
import { serveHub } from '@downlink/hub/node'
import { selfSigned } from '../../e2e/helpers/self-signed.ts'

const hub = createHub()
const plain = await serveHub(hub, { host: '127.0.0.1', h2c: true })
const secure = await serveHub(hub, { host: '127.0.0.1', tls: selfSigned() })
console.log(`port ${plain.port}`)
process.on('message', () => process.send?.(secure.port))
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
