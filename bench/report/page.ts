/** Writes what was found into docs/performance.md, between the marks of each benchmark, and its charts beside it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/tools.mjs'
import type { Bench, Findings } from '../delivery/bench.ts'
import { asMarkdown } from './print.ts'

const PAGE = join(root, 'docs', 'performance.md')
/** As the page names it. */
const CHARTS = 'performance'

/** @returns what was written, as a sentence */
export function writeReport(
  results: readonly { readonly bench: Bench; readonly findings: Findings }[],
): string {
  let page = readFileSync(PAGE, 'utf8')
  for (const { bench, findings } of results) {
    // It has no figures.
    if (findings.targets.length === 0 && findings.skipped === undefined) continue
    page = replaced(page, bench.name, asMarkdown(findings, CHARTS))
    for (const { name, svg } of findings.charts ?? []) {
      mkdirSync(join(root, 'docs', CHARTS), { recursive: true })
      writeFileSync(join(root, 'docs', CHARTS, `${name}.svg`), svg)
    }
  }
  writeFileSync(PAGE, page)
  spawnSync(process.execPath, [join(root, 'node_modules', '.bin', 'oxfmt'), PAGE], { cwd: root })
  return `Written to docs/performance.md: ${results.map(({ bench }) => bench.name).join(', ')}`
}

/** What is around the marks is written by hand, and stays. */
function replaced(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- bench ${name} -->`, `<!-- end ${name} -->`]
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from) return `${page}\n${begin}\n\n${text}\n${end}\n`
  return `${page.slice(0, from + begin.length)}\n\n${text}\n${page.slice(to)}`
}
