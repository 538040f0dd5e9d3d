/**
 * "The wire, version 1" (`docs/protocol.md`) in tests, over real sockets: the same facts for every way to put the hub on
 * HTTP. What a face can't have is skipped with the reason it gives.
 */
import { describe } from 'node:test'
import type { Face } from './wire-contract/face.ts'
import { namesFacts } from './wire-contract/names.ts'
import { pageFacts } from './wire-contract/pages.ts'
import { startFacts } from './wire-contract/starts.ts'

export function testWireContract(face: Face): void {
  describe(`the wire on ${face.name}`, () => {
    namesFacts(face)
    startFacts(face)
    pageFacts(face)
  })
}
