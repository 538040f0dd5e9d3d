/** What a benchmark has found, for the terminal and for the page. */
import { type Findings, holds, type Table, type Target } from '../delivery/bench.ts'
import { figure } from './words.ts'

const WORDS = {
  terminal: { true: 'ok', false: 'MISSED', undefined: 'not measured' },
  page: { true: 'ok', false: '**missed**', undefined: '' },
}

export function asText({ tables, targets, notes, skipped }: Findings): string {
  if (skipped !== undefined) return `skipped: ${skipped}\n`
  return [
    ...tables.map((table) => `${table.caption}\n${aligned(table)}`),
    targets.map((target) => `${mark(target)}\n`).join(''),
    notes.map((note) => `${note}\n`).join(''),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** @param folder Where the charts are, as the page names it. */
export function asMarkdown(
  { tables, targets, charts = [], notes, skipped }: Findings,
  folder: string,
): string {
  if (skipped !== undefined) return `Not measured: ${skipped}\n`
  const parts = [
    ...charts.map(({ name, title }) => `![${title}](${folder}/${name}.svg)`),
    ...tables.map((table) => `${table.caption}:\n\n${grid(table)}`),
    grid({
      caption: '',
      head: ['wanted', '', 'got', ''],
      rows: targets.map((target) => [
        target.what,
        wantedOf(target),
        `${figure(target.got)}${target.unit ?? ''}`,
        WORDS.page[`${holds(target)}`],
      ]),
    }),
    ...(notes.length === 0 ? [] : [notes.map((note) => note.replace(/^\*/, '\\*')).join('\n\n')]),
  ]
  return `${parts.join('\n\n')}\n`
}

export function mark(target: Target): string {
  const { what, got, unit = '' } = target
  return `${what}: wanted ${wantedOf(target)}, got ${figure(got)}${unit}: ${WORDS.terminal[`${holds(target)}`]}`
}

function wantedOf({ wanted, unit = '' }: Target): string {
  return 'atMost' in wanted ? `≤ ${plain(wanted.atMost)}${unit}` : `≥ ${plain(wanted.atLeast)}${unit}`
}

function plain(value: number): string {
  return value.toLocaleString('en')
}

function aligned({ head, rows }: Table): string {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
        )
        .join('  '),
    )
    .map((line) => `  ${line}\n`)
    .join('')
}

function grid({ head, rows }: Table): string {
  return [head, head.map((_, column) => (column === 0 ? '---' : '--:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
}
