/** Runs the cases in an environment and makes each a subtest. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import type { Case, Reasons, Tag } from './case.ts'
import { cases } from './cases/index.ts'
import type { Report } from './client.ts'
import { type RawServer, startRawServer } from './raw-server.ts'

export interface Environment {
  readonly name: string
  readonly tags: readonly Tag[]
  /** How many origins there are to run cases at; 1 where connections to one are not limited. */
  readonly origins?: number
  readonly files?: Readonly<Record<string, string>>
  /** Starts what runs the cases, and resolves when there are no more. */
  readonly start: (server: RawServer) => Promise<void>
}

/** The cases and what runs them, as one script that defines `serveConformance(options)`. */
export async function bundle(which: 'ours' | 'native', format: 'esm' | 'iife'): Promise<string> {
  const imported =
    which === 'ours' ? "import { EventSource } from '@downlink/client'" : 'const { EventSource } = globalThis'
  const result = await build({
    stdin: {
      contents: `
        import { cases } from './cases/index.ts'
        import { serveCases } from './client.ts'
        ${imported}
        globalThis.serveConformance = (options) => serveCases({ EventSource, cases, ...options })
        globalThis.conformanceEventSource = EventSource`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format,
    target: 'es2020',
    platform: 'neutral',
    // A class that mentions itself would be renamed.
    keepNames: true,
    conditions: ['@downlink/source'],
    // Modules are strict; a classic script has to say so.
    ...(format === 'iife' && { banner: { js: '"use strict";' } }),
    logLevel: 'silent',
  })
  const [file] = result.outputFiles
  assert(file)
  return file.text
}

/** The cases to run: all, or with CASES set those whose name contains it. */
const wanted = (one: Case): boolean => one.name.includes(process.env['CASES'] ?? '')

export async function runEnvironment(t: TestContext, environment: Environment): Promise<void> {
  const outcomes = new Map<number, PromiseWithResolvers<Report>>()
  const uncaught: string[] = []
  const lists: Record<string, number[]> = { together: [], alone: [] }
  for (const [index, one] of cases.entries()) {
    if (!wanted(one) || reasonOf(one.skip, environment.tags) !== undefined) continue
    outcomes.set(index, Promise.withResolvers<Report>())
    lists[one.alone ? 'alone' : 'together']?.push(index)
  }
  const server = await startRawServer({
    answers: cases.map(({ answers }) => answers ?? []),
    origins: environment.origins ?? 1,
    files: environment.files ?? {},
    next: (lane) => lists[lane]?.shift() ?? -1,
    report(text) {
      const report = JSON.parse(text) as Report
      if (report.index < 0) uncaught.push(report.failure ?? '')
      outcomes.get(report.index)?.resolve(report)
    },
  })
  t.after(() => server.close())
  const run = (async () => {
    const error = await environment.start(server).then(
      () => new Error('It ended without a word about this case'),
      (failure: unknown) => failure,
    )
    for (const { promise, reject } of outcomes.values()) {
      promise.catch(() => {})
      reject(error)
    }
  })()
  for (const [index, one] of cases.entries()) {
    const skip = reasonOf(one.skip, environment.tags)
    if (wanted(one) && skip !== undefined) await t.test(one.name, { skip })
    const outcome = outcomes.get(index)
    if (!outcome) continue
    const reason = reasonOf(one.deviates, environment.tags)
    await t.test(reason === undefined ? one.name : `${one.name} (not here: ${reason})`, async () => {
      const { failure } = await outcome.promise
      if (reason === undefined) assert(failure === undefined, failure)
      else assert(failure !== undefined, `It holds; remove the deviation: ${reason}`)
    })
  }
  await t.test('no error is left uncaught', async () => {
    await run
    assert.deepEqual(uncaught, [])
  })
}

export function reasonOf(reasons: Reasons | undefined, tags: readonly Tag[]): string | undefined {
  return tags.map((tag) => reasons?.[tag]).find((reason) => reason !== undefined)
}
