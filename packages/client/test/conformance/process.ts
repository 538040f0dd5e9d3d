/** Runs the cases in a process of a runtime: Node, Bun or Deno. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Tag } from './case.ts'
import { bundle, runEnvironment } from './environment.ts'

export interface Runtime {
  readonly name: string
  readonly tags: readonly Tag[]
  readonly binary: string
  /** Before the script. */
  readonly flags: readonly string[]
}

/** How many cases run at a time. Most of them wait most of the time. */
const LANES = 16
/** Far beyond what all cases take. */
const PATIENCE = 100_000

/** Writes the bundle where a runtime can load it, until the test is over. */
export async function writeBundle(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'downlink-conformance-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'cases.mjs')
  await writeFile(path, await bundle('ours', 'esm'))
  return path
}

/** Runs a script that was appended to the bundle; its outcome is its exit. */
export async function runScript(
  { binary, flags }: Runtime,
  path: string,
  patience: number = PATIENCE,
): Promise<{ readonly output: string; readonly status: number | string | null }> {
  const child = spawn(binary, [...flags, path], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000)
    })
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), patience)
  const status = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code))
  })
  clearTimeout(timer)
  return { output, status }
}

export async function runInProcess(t: TestContext, runtime: Runtime): Promise<void> {
  const path = await writeBundle(t)
  await runEnvironment(t, {
    name: runtime.name,
    tags: ['ours', 'process', ...runtime.tags],
    async start({ origins: [origin], otherOrigin }) {
      const options = { origin, otherOrigin, tags: ['ours', 'process', ...runtime.tags], lanes: LANES }
      const main = join(path, '..', 'main.mjs')
      await writeFile(
        main,
        `import './cases.mjs'\nawait serveConformance(${JSON.stringify(options)})\n;(globalThis.Deno ?? process).exit(0)\n`,
      )
      const { status, output } = await runScript(runtime, main)
      if (status !== 0) throw new Error(`${runtime.name} ended with ${status}:\n${output}`)
    },
  })
}
