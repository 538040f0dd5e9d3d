/** `npm run bench`: see `scripts/bench.mjs`. */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { abuses } from './abuse/abuses.ts'
import { consolePage } from './console.ts'
import { type Bench, type Findings, holds } from './delivery/bench.ts'
import { benches } from './delivery/benches.ts'
import { pinningTrouble, stayOffServer } from './machine/cores.ts'
import { asText } from './report/print.ts'
import { writeReport } from './report/page.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    ours: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})

/** Names for several. */
const groups: Readonly<Record<string, readonly Bench[]>> = { all: benches, abuse: abuses }

/** Those that are programs of their own, with arguments of their own. */
const programs = ['log-append', 'log-channels', 'parser'].filter((name) => existsSync(pathOf(name)))

const [first, ...rest] = positionals
if (first === undefined || (!programs.includes(first) && wanted() === undefined)) list(first)
else if (programs.includes(first)) runProgram(first, rest)
else if (values.report && (values.quick || values.ours)) {
  console.error('A report needs it all: leave out --report, or --quick and --ours')
  process.exitCode = 2
} else await runAll(wanted() as readonly Bench[])

/** The benchmarks named, or undefined when one is not known. */
function wanted(): readonly Bench[] | undefined {
  const known = [...benches, ...abuses, consolePage]
  const named = positionals.flatMap((name): readonly (Bench | undefined)[] => {
    return groups[name] ?? [known.find((bench) => bench.name === name)]
  })
  return named.every((bench) => bench !== undefined) ? named : undefined
}

async function runAll(chosen: readonly Bench[]): Promise<void> {
  stayOffServer()
  const trouble = pinningTrouble()
  if (trouble !== undefined) console.log(`${trouble}\n`)
  if (values.quick) console.log('Quick: this shows that it works. The figures mean nothing.\n')
  const results: { bench: Bench; findings: Findings }[] = []
  for (const bench of chosen) {
    console.log(`${bench.name}: ${bench.claim}`)
    try {
      const findings = await bench.run({
        quick: values.quick,
        ours: values.ours,
        say: (line) => console.log(`  · ${line}`),
      })
      console.log(`\n${asText(findings)}`)
      results.push({ bench, findings })
    } catch (error) {
      console.error(`\n${bench.name} FAILED: ${(error as Error).message}\n`)
      process.exitCode = 1
    }
  }
  if (values.json !== undefined) {
    const all = results.map(({ bench: { name, claim }, findings }) => ({
      name,
      claim,
      ...findings,
      charts: undefined,
      targets: findings.targets.map((target) => ({ ...target, ok: holds(target) })),
    }))
    writeFileSync(values.json, `${JSON.stringify(all, undefined, 2)}\n`)
  }
  if (values.report) console.log(writeReport(results))
  process.exit()
}

function list(unknown: string | undefined): void {
  if (unknown !== undefined) console.error(`There is no benchmark ${positionals.join(', ')}.\n`)
  console.log(
    'npm run bench -- <name>… [--quick] [--ours] [--json <file>] [--report]\n\n' +
      listed(benches) +
      '  all           all of these\n\n' +
      `Beside normal readers:\n\n${listed(abuses)}  abuse         all of these\n\n` +
      `In a browser:\n\n${listed([consolePage])}\n` +
      `Programs of their own: ${programs.join(', ')}`,
  )
  if (unknown !== undefined) process.exitCode = 2
}

function listed(some: readonly Bench[]): string {
  return some.map(({ name, claim }) => `  ${name.padEnd(13)} ${claim}\n`).join('')
}

function runProgram(name: string, args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [...process.execArgv, pathOf(name), ...args], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`${name}.ts`, import.meta.url))
}
