#!/usr/bin/env node
// Plain JavaScript that Node 12 can parse (hence no top-level await), so that an old one gets a sentence and not a stack trace.
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `downlink needs Node.js 22.18 or newer, and this is ${process.version}: https://nodejs.org/en/download`,
  )
  process.exit(1)
}

// In a checkout there is a src folder, and Node runs it as it is; the published package has only dist.
const source = new URL('../src/cli/main.ts', import.meta.url)
const fromSource = existsSync(source)
if (fromSource) {
  nodeModule.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, '@downlink/source'] }),
  })
}

async function run() {
  const { main } = await import(
    fromSource ? source.href : new URL('../dist/cli/main.js', import.meta.url).href
  )
  process.exitCode = await main(process.argv.slice(2))
}
void run()
