/** better-sse on `node:http`: sessions, and a channel for each name. */
import { fileURLToPath } from 'node:url'
import type { Peer } from './server.ts'
import { startServer } from './server.ts'

const server = fileURLToPath(new URL('better-sse-server.ts', import.meta.url))

export const betterSse: Peer = {
  name: 'better-sse',
  start: () =>
    startServer({
      name: 'better-sse',
      dialect: 'plain',
      command: [process.execPath, ...process.execArgv, server],
      ipc: true,
    }),
}
