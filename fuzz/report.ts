/** What a run of one target found, in words. */
import { inspect } from 'node:util'
import type { Failure, Outcome } from './run.ts'
import type { Target } from './target.ts'

export function lineOf({ name }: Target, { count, seconds, tally, slowest, heap }: Outcome): string {
  const rate = Math.round(count / Math.max(seconds, 0.001)).toLocaleString('en')
  const grown = Math.round((heap.after - heap.before) / 1024)
  const became = Object.entries(tally)
    .slice(0, 8)
    .map(([label, times]) => `${label} ${share(times, count)}`)
  return [
    `${name}: ${count.toLocaleString('en')} inputs in ${seconds.toFixed(1)} s (${rate}/s)`,
    `slowest ${slowest.ms.toFixed(2)} ms (${slowest.index})`,
    ...(Number.isNaN(grown) ? [] : [`heap ${grown < 0 ? '' : '+'}${grown} KiB`]),
    became.join(', '),
  ].join('; ')
}

export function reportOf({ name }: Target, seed: number, failure: Failure): string {
  const { index, reason, input, smallest } = failure
  return [
    `${name} FAILED on input ${index}: ${reason}`,
    ...(input === undefined ? [] : [`input: ${shown(input)}`]),
    ...(smallest === undefined ? [] : [`smallest found: ${shown(smallest)}`]),
    `npm run fuzz -- ${name} --seed ${seed} --only ${index}`,
  ].join('\n')
}

/** As it could be written in a corpus. */
function shown(input: unknown): string {
  return inspect(input, { depth: 10, maxStringLength: 4_000, maxArrayLength: 4_000, breakLength: 110 })
}

function share(times: number, count: number): string {
  const percent = (times / count) * 100
  return `${percent < 1 ? percent.toFixed(2) : Math.round(percent)} %`
}
