/** `subscribe()` in Node 20, 22 and 24, Bun, Deno and workerd: the same program, bundled. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { tools } from '../../../../scripts/tools.mjs'
import { startHub } from './hub.ts'

const EXPECTED = ['auto', 'sse', 'long-poll', 'poll']
  .map((transport) => `${transport}: 0 1 2 3 4 5 6 7 8 9`)
  .join('\n')

const RUNTIMES = {
  node20: [],
  node22: [],
  node24: [],
  bun: ['run'],
  deno: ['run', '--no-config', '--no-lock', '--allow-all'],
} as const

for (const [name, flags] of Object.entries(RUNTIMES)) {
  test(`subscribe() reads and ends in ${name}`, async (t) => {
    const url = await startNumbers(t)
    const path = await bundle(t, `console.log(await smoke(${JSON.stringify(url)}))`)
    const child = spawn(tools[name as keyof typeof RUNTIMES], [...flags, path], { timeout: 30_000 })
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const status = await new Promise((resolve) =>
      child.once('close', (code, signal) => resolve(signal ?? code)),
    )
    assert.deepEqual([output, status], [`${EXPECTED}\n`, 0])
  })
}

// It runs no programs, but answers requests, and only inside of one may a worker connect to anything.
const workerd = (compatibilityDate: string): string => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "smoke", worker = (
      modules = [(name = "smoke", esModule = embed "smoke.mjs")],
      compatibilityDate = "${compatibilityDate}",
      globalOutbound = "network",
    )),
    (name = "network", network = (allow = ["local", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "smoke")],
);
`

const WORKERS = [
  { date: '2024-11-11', options: '{}' },
  // Before that its `fetch` refuses `cache`, and keeps nothing anyway.
  { date: '2023-01-01', options: '{ fetch: (url, { cache: _, ...init }) => fetch(url, init) }' },
]

for (const { date, options } of WORKERS) {
  test(`subscribe() reads and ends in a request to workerd as of ${date}, with ${options}`, async (t) => {
    const url = await startNumbers(t)
    const read = `smoke(${JSON.stringify(url)}, ${options})`
    const answer = '(text) => new Response(text), (error) => new Response(error.stack)'
    const path = await bundle(t, `export default { fetch: () => ${read}.then(${answer}) }`)
    assert.equal(await answerOfWorkerd(t, path, date), EXPECTED)
  })
}

async function answerOfWorkerd(t: TestContext, path: string, date: string): Promise<string> {
  const config = join(dirname(path), 'config.capnp')
  await writeFile(config, workerd(date))
  const child = spawn(tools.workerd, ['serve', config, '--control-fd=1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const port = await new Promise<number>((resolve, reject) => {
    child.once('close', (status) => reject(new Error(`workerd ended with ${status}`)))
    // {"event":"listen","socket":"http","port":40123}
    createInterface({ input: child.stdout }).once('line', (line) =>
      resolve((JSON.parse(line) as { port: number }).port),
    )
  })
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(30_000) })
  return response.text()
}

/** A hub that has ten numbers. */
async function startNumbers(t: TestContext): Promise<string> {
  const { hub, url } = await startHub(t)
  await hub.publish(
    'numbers',
    Array.from({ length: 10 }, (_, i) => ({ data: String(i) })),
  )
  return url
}

/** @returns the path of one file, which has `smoke` of `smoke-program.ts` in it */
async function bundle(t: TestContext, program: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'downlink-smoke-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const { outputFiles } = await build({
    stdin: {
      contents: `import { smoke } from './smoke-program.ts'\n${program}`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2020',
    supported: { 'top-level-await': true },
    platform: 'neutral',
    conditions: ['@downlink/source'],
  })
  const path = join(folder, 'smoke.mjs')
  await writeFile(path, outputFiles[0]?.contents ?? '')
  return path
}
