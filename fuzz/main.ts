/** `npm run fuzz`: see `scripts/fuzz.mjs`. */
import { parseArgs } from 'node:util'
import { inspect } from 'node:util'
import { inputOf, type Outcome } from './run.ts'
import { lineOf, reportOf } from './report.ts'
import type { Target } from './target.ts'
import { targets } from './targets.ts'
import { runWatched } from './watched.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})
const seed = numberOf('seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31)
const only = numberOf('only', values.only)
const unknown = positionals.filter((name) => !targets.some((target) => target.name === name))
const chosen = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name))

if (unknown.length > 0 || values.list) list()
else if (only !== undefined && chosen.length !== 1) stop('--only is an input of one target: name it')
else {
  console.log(`seed ${seed}`)
  for (const target of chosen) {
    if (only !== undefined) console.log(inspect(inputOf(target, seed, only), { maxStringLength: 10_000 }))
    await runOne(target)
  }
}

async function runOne(target: Target): Promise<void> {
  const count = only === undefined ? (numberOf('count', values.count) ?? target.count) : 1
  try {
    const outcome: Outcome = await runWatched(target.name, { seed, count, from: only ?? 0 })
    console.log(lineOf(target, outcome))
    if (outcome.failure === undefined) return
    console.error(reportOf(target, seed, outcome.failure))
  } catch (error) {
    console.error(
      `${target.name} FAILED: ${(error as Error).message}\nnpm run fuzz -- ${target.name} --seed ${seed}`,
    )
  }
  process.exitCode = 1
}

function list(): void {
  if (unknown.length > 0) console.error(`There is no target ${unknown.join(', ')}.\n`)
  for (const { name, claim, count } of targets)
    console.log(`${name.padEnd(10)} ${count.toLocaleString('en').padStart(10)}  ${claim}`)
  if (unknown.length > 0) process.exitCode = 2
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,10}$/.test(text)) return Number(text)
  return stop(`--${name} is a whole number`)
}

function stop(reason: string): never {
  console.error(reason)
  process.exit(2)
}
