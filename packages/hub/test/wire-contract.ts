/**
 * "The wire, version 1" (`docs/protocol.md`) in tests, over real sockets: the same facts for every way to put the hub on
 * HTTP. What a face can't have is skipped with the reason it gives.
 */
import { describe } from 'node:test'
import { accessFacts } from './wire-contract/access.ts'
import { backwardsFacts } from './wire-contract/backwards.ts'
import { batchFacts } from './wire-contract/batches.ts'
import { codingFacts } from './wire-contract/codings.ts'
import type { Face } from './wire-contract/face.ts'
import { disconnectFacts } from './wire-contract/disconnects.ts'
import { lookFacts } from './wire-contract/looking.ts'
import { namesFacts } from './wire-contract/names.ts'
import { pageFacts } from './wire-contract/pages.ts'
import { problemFacts } from './wire-contract/problems.ts'
import { publishFacts } from './wire-contract/publishing.ts'
import { refusalFacts } from './wire-contract/refusals.ts'
import { slowReaderFacts } from './wire-contract/slow-reader.ts'
import { startFacts } from './wire-contract/starts.ts'
import { streamLifeFacts } from './wire-contract/stream-life.ts'
import { streamFacts } from './wire-contract/streams.ts'
import { ticketFacts } from './wire-contract/tickets.ts'
import { transportFacts } from './wire-contract/transports.ts'
import { webSocketFacts } from './wire-contract/websocket.ts'

const FACTS = {
  names: namesFacts,
  starts: startFacts,
  pages: pageFacts,
  backwards: backwardsFacts,
  streams: streamFacts,
  'stream life': streamLifeFacts,
  transports: transportFacts,
  codings: codingFacts,
  publishing: publishFacts,
  batches: batchFacts,
  refusals: refusalFacts,
  looking: lookFacts,
  access: accessFacts,
  tickets: ticketFacts,
  disconnects: disconnectFacts,
  problems: problemFacts,
  websocket: webSocketFacts,
  'slow readers': slowReaderFacts,
} as const

export type Facts = keyof typeof FACTS

/**
 * What depends on the bytes' way: where connections are opened, filled, cut and ended, bodies come in pieces, or the scheme is looked
 * at. The rest (which page a cursor gives, what a ticket is good for, what a problem says) is decided when the request has been read.
 */
export const BY_CARRIER: readonly Facts[] = [
  'streams',
  'stream life',
  'transports',
  'codings',
  'publishing',
  'refusals',
  'access',
  'disconnects',
  'websocket',
  'slow readers',
]

/** @param only For faces that differ from another one, which has them all, in what these touch and nothing else. Default all. */
export function testWireContract(face: Face, only = Object.keys(FACTS) as readonly Facts[]): void {
  describe(`the wire on ${face.name}`, () => {
    for (const facts of only) FACTS[facts](face)
  })
}
