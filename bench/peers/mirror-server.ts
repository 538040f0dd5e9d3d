/** See `mirror.ts`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const { status, headers, body } = JSON.parse(process.env['BENCH_ANSWER'] as string) as {
  status: number
  headers: string[]
  body: string
}
const bytes = Buffer.from(body)

const server = createServer({ keepAliveTimeout: 75_000 }, (req, res) => {
  if (req.method === 'GET') {
    answer()
    return
  }
  const parts: Buffer[] = []
  req.on('data', (part: Buffer) => parts.push(part))
  req.on('end', () => {
    // As whoever wants the text must.
    Buffer.concat(parts).toString()
    answer()
  })

  function answer(): void {
    res.writeHead(status, headers)
    res.end(status === 304 ? undefined : bytes)
  }
})
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`))
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
