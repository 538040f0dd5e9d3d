/** `npm run soak`: see `scripts/soak.mjs`. */
import { parseArgs } from 'node:util'
import { holds } from '../delivery/bench.ts'
import { pinningTrouble, stayOffServer } from '../machine/cores.ts'
import { writeReport } from '../report/page.ts'
import { asText } from '../report/print.ts'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '20' }, report: { type: 'boolean', default: false } },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error('--minutes is a number above 0')
  process.exit(2)
}
stayOffServer()
const trouble = pinningTrouble()
if (trouble !== undefined) console.log(`${trouble}\n`)
try {
  const findings = await soak({ minutes, say: (line) => console.log(`  · ${line}`) })
  console.log(`\n${asText(findings)}`)
  const bench = { name: 'soak', claim: '', run: () => Promise.resolve(findings) }
  if (values.report) console.log(writeReport([{ bench, findings }]))
  process.exit(findings.targets.every((target) => holds(target) === true) ? 0 : 1)
} catch (error) {
  console.error(`The soak FAILED: ${(error as Error).message}`)
  process.exit(1)
}
