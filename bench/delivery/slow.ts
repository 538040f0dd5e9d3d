/**
 * Claim: readers that read slowly cost the hub no memory and the others no time, and lose nothing.
 *
 * 1,000 readers, of which 200 read 4 KB every four seconds, and 100 events of 1 KB a second for a minute. Then the slow ones
 * read at full speed. The run beside it has the 800 fast ones alone.
 */
import { micros } from '../load/clock.ts'
import { onStage, type Run } from '../load/stage.ts'
import { hub } from '../peers/hub.ts'
import { runTable, saturationNotes } from '../report/runs.ts'
import { figure } from '../report/words.ts'
import type { Bench, BenchContext } from './bench.ts'

interface Outcome {
  readonly run: Run
  /** The most that RSS was above where it was at the start, in bytes. */
  readonly grown: number
  /** Events that the slow ones had not had at the end, on average. */
  readonly behind: number
  /** Until they had them all. */
  readonly caughtUpMs: number
}

export const slow: Bench = {
  name: 'slow',
  claim: '200 of 1,000 readers read 1 KB a second, under 100 events of 1 KB a second for a minute.',
  async run(context) {
    const without = await runOf(context, 0)
    const beside = await runOf(context, context.quick ? 20 : 200)
    return {
      tables: [
        runTable(
          'Latency of the fast ones (CPU time includes the slow ones)',
          [without.run, beside.run],
          ['fast readers alone', 'beside slow ones'],
        ),
        {
          caption: 'Memory, and the slow ones',
          head: ['', 'RSS grew by', 'events behind', 'all had after'],
          rows: [
            ['fast readers alone', `${figure(without.grown / 1e6)} MB`, '–', '–'],
            [
              'beside slow ones',
              `${figure(beside.grown / 1e6)} MB`,
              figure(beside.behind),
              `${figure(beside.caughtUpMs / 1000)} s`,
            ],
          ],
        },
      ],
      targets: [
        { what: 'RSS grew by', wanted: { atMost: 64 }, got: beside.grown / 1e6, unit: ' MB' },
        {
          what: 'p99 of the fast ones against a run without slow ones',
          wanted: { atMost: 1.5 },
          got: beside.run.p99 / without.run.p99,
        },
      ],
      notes: [
        'The slow ones got every event: else there were no figures here.',
        ...saturationNotes([without.run, beside.run]),
      ],
    }
  },
}

async function runOf({ quick, say }: BenchContext, slowOnes: number): Promise<Outcome> {
  const fastOnes = quick ? 80 : 800
  const plan = { rate: 100, seconds: quick ? 3 : 60, channels: 1, batch: 1, size: 1_000 }
  const outcome = await onStage(hub(), 1, async (stage) => {
    await stage.open([{ tag: 'fast', channels: [0], count: fastOnes }])
    await stage.warmUp({ ...plan, seconds: quick ? 0.5 : 5 })
    const pace = { bytes: 4_096, intervalMs: 4_000 }
    await stage.open(slowOnes === 0 ? [] : [{ tag: 'slow', channels: [0], count: slowOnes, slow: pace }])
    const before = stage.server.rss()
    let most = before
    const timer = setInterval(() => (most = Math.max(most, stage.server.rss())), 500)
    const run = await stage.measure(plan, 'fast')
    clearInterval(timer)
    const behind = slowOnes === 0 ? 0 : await stage.readers.call.behind('slow', stage.total([0]))
    const begun = micros()
    await stage.readers.call.fast('slow')
    await stage.settle()
    return { run, grown: most - before, behind, caughtUpMs: (micros() - begun) / 1000 }
  })
  say(`${slowOnes} slow ones: RSS + ${figure(outcome.grown / 1e6)} MB, p99 ${figure(outcome.run.p99)} ms`)
  return outcome
}
