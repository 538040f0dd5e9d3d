/** The least that `node:http` does: `res.write` of a frame made once. */
import { fileURLToPath } from 'node:url'
import { type Peer, startServer } from './server.ts'

const server = fileURLToPath(new URL('plain-server.ts', import.meta.url))

/** What a faulty server does with one delivery in some thousand: see `selfcheck`. */
export const FAULTS = ['drop', 'double', 'swap', 'alter', 'drop-for-all'] as const
export type Fault = (typeof FAULTS)[number]

export const plain: Peer = plainWith()

export function plainWith(fault?: Fault): Peer {
  const name = fault === undefined ? 'node:http' : `node:http that makes a mistake: ${fault}`
  return {
    name,
    start: () =>
      startServer({
        name,
        dialect: 'plain',
        command: [process.execPath, ...process.execArgv, server],
        ipc: true,
        env: fault === undefined ? {} : { BENCH_FAULT: fault },
      }),
  }
}
