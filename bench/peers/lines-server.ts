/** What the peers on `node:http` have in common: who subscribes to what, and an event for each line of a POST. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Lines {
  readonly subscribe: (
    names: readonly string[],
    req: IncomingMessage,
    res: ServerResponse,
  ) => Promise<void> | void
  readonly publish: (name: string, data: string) => void
}

export function serveLines({ subscribe, publish }: Lines): void {
  const server = createServer({ keepAliveTimeout: 3_600_000 }, (req, res) => {
    const [, kind, names = ''] = (req.url as string).split('/')
    if (kind === 'sub') return void subscribe(names.split(','), req, res)
    const parts: Buffer[] = []
    req.on('data', (part: Buffer) => parts.push(part))
    req.on('end', () => {
      for (const line of Buffer.concat(parts).toString().split('\n')) publish(names, line)
      res.end('ok')
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`))
  process.on('disconnect', () => process.exit())
  process.on('SIGTERM', () => process.exit())
}
