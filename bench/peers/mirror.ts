/** The least that `node:http` must do to answer as another server did: it reads the request, and answers the same bytes. */
import { fileURLToPath } from 'node:url'
import type { Asked } from '../load/ask.ts'
import { type Peer, startServer } from './server.ts'

const server = fileURLToPath(new URL('mirror-server.ts', import.meta.url))
/** What Node writes by itself. */
const OWN = ['date', 'connection', 'keep-alive']

export function mirrorOf({ status, head, body }: Asked): Peer {
  const headers = head
    .split('\r\n')
    .slice(1)
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const)
    .filter(([name]) => !OWN.includes(name.toLowerCase()))
  return {
    name: 'bare node:http',
    start: () =>
      startServer({
        name: 'bare node:http',
        dialect: 'plain',
        command: [process.execPath, ...process.execArgv, server],
        ipc: true,
        env: { BENCH_ANSWER: JSON.stringify({ status, headers: headers.flat(), body }) },
      }),
  }
}
