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

export function testWireContract(face: Face): void {
  describe(`the wire on ${face.name}`, () => {
    namesFacts(face)
    startFacts(face)
    pageFacts(face)
    backwardsFacts(face)
    streamFacts(face)
    streamLifeFacts(face)
    transportFacts(face)
    codingFacts(face)
    publishFacts(face)
    batchFacts(face)
    refusalFacts(face)
    lookFacts(face)
    accessFacts(face)
    ticketFacts(face)
    disconnectFacts(face)
    problemFacts(face)
    webSocketFacts(face)
    slowReaderFacts(face)
  })
}
