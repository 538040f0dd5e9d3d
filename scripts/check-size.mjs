/**
 * Part of `npm run check`: what a page loads for `import { EventSource } from '@downlink/client'`, and for
 * `subscribe`, alone, with `share`, by the browser's EventSource, with a store and hooks, parser included, minified and gzipped.
 */
import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'
import { join } from 'node:path'
import { root } from './tools.mjs'

const limits = [
  { what: 'EventSource', source: "export { EventSource } from '@downlink/client'", bytes: 3000 },
  { what: 'subscribe', source: "export { subscribe } from '@downlink/client'", bytes: 8192 },
  {
    what: 'subscribe and share',
    source: "export { subscribe } from '@downlink/client'; export { share } from '@downlink/client/share'",
    bytes: 10_240,
  },
  {
    what: 'subscribe by native EventSource',
    source: "export { subscribe } from '@downlink/client/native'",
    bytes: 9216,
  },
  {
    what: 'subscribe and a store',
    source: "export { subscribe } from '@downlink/client'; export * from '@downlink/client/store'",
    bytes: 9000,
  },
  {
    what: 'the hooks, subscribe included, without React',
    source: "export * from '@downlink/client/react'",
    bytes: 9728,
  },
]

for (const { what, source, bytes } of limits) {
  const { outputFiles } = buildSync({
    stdin: { contents: source, resolveDir: join(root, 'packages', 'hub') },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2020',
    external: ['react'],
    conditions: ['@downlink/source'],
    // As tsc builds the packages.
    tsconfigRaw: { compilerOptions: { target: 'es2020', useDefineForClassFields: false } },
  })
  const [{ contents }] = outputFiles
  const size = gzipSync(contents, { level: 9 }).length
  const fits = size <= bytes
  console.log(
    `${fits ? '✔' : '✖'} ${what}: ${contents.length} bytes minified, ${size} gzipped, at most ${bytes}`,
  )
  if (!fits) process.exitCode = 1
}
