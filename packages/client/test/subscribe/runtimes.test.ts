/** `subscribe()` in Node 20, 22 and 24, Bun and Deno: the same program, bundled. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { tools } from '../../../../scripts/tools.mjs'
import { startHub } from './hub.ts'

const RUNTIMES = {
  node20: [],
  node22: [],
  node24: [],
  bun: ['run'],
  deno: ['run', '--no-config', '--no-lock', '--allow-all'],
} as const

for (const [name, flags] of Object.entries(RUNTIMES)) {
  test(`subscribe() reads and ends in ${name}`, async (t) => {
    const { hub, url } = await startHub(t)
    await hub.publish(
      'numbers',
      Array.from({ length: 10 }, (_, i) => ({ data: String(i) })),
    )
    const folder = await mkdtemp(join(tmpdir(), 'downlink-smoke-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('smoke-program.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2020',
      supported: { 'top-level-await': true },
      platform: 'neutral',
      conditions: ['@downlink/source'],
      define: { URL_OF_HUB: JSON.stringify(url) },
    })
    const path = join(folder, 'smoke.mjs')
    await writeFile(path, outputFiles[0]?.contents ?? '')
    const child = spawn(tools[name as keyof typeof RUNTIMES], [...flags, path], { timeout: 30_000 })
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const status = await new Promise((resolve) =>
      child.once('close', (code, signal) => resolve(signal ?? code)),
    )
    const numbers = '0 1 2 3 4 5 6 7 8 9'
    const expected = ['auto', 'sse', 'long-poll', 'poll']
      .map((transport) => `${transport}: ${numbers}\n`)
      .join('')
    assert.deepEqual([output, status], [expected, 0])
  })
}
