/**
 * What any log does, whatever engine it lives in: the contract of `src/log/log.ts` and of "The log" in the design, as tests.
 * An engine's own test file calls `testLogContract` with a way to open an empty log.
 */
import { describe } from 'node:test'
import { appendFacts, endFacts, idempotencyFacts, reopenFacts } from './log-contract/append.ts'
import { dropFacts } from './log-contract/drops.ts'
import { forgetFacts } from './log-contract/forgetting.ts'
import { fullFacts } from './log-contract/full.ts'
import { gapFacts } from './log-contract/gaps.ts'
import type { OpenLog, Without } from './log-contract/harness.ts'
import { modelFacts } from './log-contract/compare.ts'
import { promiseFacts } from './log-contract/promise.ts'
import { readFacts } from './log-contract/read.ts'
import { retentionFacts } from './log-contract/retention.ts'
import { channelFacts, lifeFacts, tailFacts } from './log-contract/tail.ts'
import { versionFacts } from './log-contract/version.ts'

export type { HarnessOptions, LogHarness, OpenLog, Without } from './log-contract/harness.ts'

/**
 * @param without The abilities this engine lacks, each with the reason in writing: their tests are skipped.
 * @param share Of the random runs of the property tests, above 0 and at most 1: less for an engine whose opening takes long.
 */
export function testLogContract(name: string, open: OpenLog, without: Without = {}, share = 1): void {
  const suite = { open, without, share }
  describe(`the ${name} log`, () => {
    lifeFacts(suite)
    appendFacts(suite)
    endFacts(suite)
    idempotencyFacts(suite)
    readFacts(suite)
    retentionFacts(suite)
    gapFacts(suite)
    dropFacts(suite)
    fullFacts(suite)
    forgetFacts(suite)
    tailFacts(suite)
    channelFacts(suite)
    reopenFacts(suite)
    versionFacts(suite)
    modelFacts(suite)
    promiseFacts(suite)
  })
}
