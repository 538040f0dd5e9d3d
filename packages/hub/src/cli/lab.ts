/** `downlink lab`: which way of updating fits a task, by measurement. */
import { Command, Option } from 'commander'
import { advise, PRESET_LATE_MS } from '../lab/advice.ts'
import { PRESETS } from '../lab/presets.ts'
import type { LabReport } from '../lab/report.ts'
import { SHAPES } from '../lab/settings.ts'
import { Failure } from './failure.ts'
import { labCsv, labText, presetsText, progressLine } from './lab-print.ts'
import {
  type LabFlags,
  plainNumber,
  rateValue,
  settingsOfFlags,
  shortTimeValue,
  techniquesValue,
} from './lab-settings.ts'
import { headerOption, tokenOption, withToken } from './options.ts'
import { type EndSignal, onEndSignal, SIGNAL_EXIT_CODE } from './signals.ts'
import { type HeaderList, hubValue } from './values.ts'

export interface LabOptions extends LabFlags {
  readonly hub?: string
  readonly header?: HeaderList
  readonly tokenEnv?: string
  /** Milliseconds. */
  readonly late?: number
  readonly csv?: true
  readonly json?: true
}

export type RunLab = (options: LabOptions) => Promise<void>

/** Three techniques that hold connections fit into the 100 streams that a hub allows one caller by default. */
const MOST_ELSEWHERE = 30

export function labCommand(run: RunLab): Command {
  return new Command('lab')
    .summary('measure which way of updating fits a task')
    .description(
      'Run polling, long polling, Server-Sent Events and WebSocket side by side on the same events, measure what each ' +
        'costs and how late events are, and say which one fits. On a hub of its own, or on the one that --hub names.',
    )
    .addOption(
      new Option(
        '--preset <task>',
        'a task to begin with, which the other options change (default: dashboard)',
      ).choices(PRESETS),
    )
    .option('--rate <rate>', 'events a second, as 2; or a minute, as 6/m', rateValue)
    .addOption(
      new Option('--shape <shape>', 'how they come: evenly, ten at once, or at random').choices(SHAPES),
    )
    .option('--size <bytes>', 'bytes of an event', plainNumber)
    .option('--clients <number>', 'clients of each technique', plainNumber)
    .option('--poll-every <time>', 'how often a poller asks, as 5s', shortTimeValue)
    .option('--delay <time>', 'what the network adds in each direction, as 50ms', shortTimeValue)
    .option('--buffering', 'a proxy in between that hands on nothing before an answer has ended')
    .option('--cut-after <time>', 'cut each connection after about so long, as 10s', shortTimeValue)
    .option('--seconds <number>', 'how long to publish', plainNumber)
    .option(
      '--techniques <list>',
      'poll, long-poll, sse, websocket, with commas (default: all)',
      techniquesValue,
    )
    .option('--late <time>', 'how late the task may show an event, for the recommendation', shortTimeValue)
    .option('--no-cpu', 'leave out the turns that measure CPU')
    .addOption(new Option('--json', 'print the figures and the recommendation as JSON').conflicts('csv'))
    .option('--csv', 'print the figures as CSV, a line for each technique')
    .option(
      '--hub <url>',
      'measure this hub: publish, read and erase a channel lab.… there (default: a hub of its own, in memory)',
      hubValue,
    )
    .addOption(headerOption())
    .addOption(tokenOption())
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Tasks:
${presetsText()}

Examples:
  downlink lab --preset chat
  downlink lab --rate 6/m --poll-every 10s --clients 100
  downlink lab --preset orders --buffering
  downlink lab --preset ticks --hub https://updates.example --csv > ticks.csv
`,
    )
    .action(run)
}

export interface LabIo {
  readonly stdout: { write(text: string): unknown; readonly columns?: number }
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly tell: (line: string) => void
}

/** Where it is measured. */
export interface Bench {
  /** In a few words, for people. */
  readonly place: string
  /** Why there is no CPU, where there is none. */
  readonly noCpu?: string
  /** What people should know when it is over. */
  readonly warnings?: readonly string[]
  report(): LabReport
  stop(): void
  /** Resolves when nothing is left of the run. */
  readonly done: Promise<unknown>
  /** Of a hub of its own. */
  close(): Promise<void>
}

const TELL_MS = 1_000

/** Resolves with the exit code. @throws {Failure} */
export async function lab(options: LabOptions, { stdout, stderr, tell }: LabIo): Promise<number> {
  const { hub, header, tokenEnv, preset } = options
  // Without the flag it is true.
  const cpu = options.cpu === false ? { cpu: false } : {}
  const settings = settingsOfFlags({ ...options, ...cpu }, hub === undefined ? Infinity : MOST_ELSEWHERE)
  const bench =
    hub === undefined
      ? await (await import('./lab-own.ts')).ownBench(settings)
      : await (
          await import('./lab-remote.ts')
        ).remoteBench(hub, withToken(header, tokenEnv, process.env), settings)
  let signal: EndSignal | undefined
  const release = onEndSignal((asked) => {
    signal = asked
    bench.stop()
  })
  const progress = stderr.isTTY
    ? setInterval(() => stderr.write(`\r\u001b[K${progressLine(bench.report())}`), TELL_MS)
    : undefined
  try {
    await bench.done
  } finally {
    clearInterval(progress)
    if (progress) stderr.write('\r\u001b[K')
    release()
    await bench.close()
  }
  for (const warning of bench.warnings ?? []) tell(warning)
  const report = bench.report()
  if (report.state === 'failed') throw new Failure(`The run failed: ${report.reason ?? 'nobody knows why'}`)
  const late = options.late ?? (preset && PRESET_LATE_MS[preset])
  const advice = advise(report, late === undefined ? {} : { late })
  if (options.json) stdout.write(`${JSON.stringify({ report, advice }, undefined, 2)}\n`)
  else if (options.csv) stdout.write(labCsv(report))
  else
    stdout.write(
      labText(report, advice, { ...bench, ...(preset && { task: preset }), width: stdout.columns ?? 100 }),
    )
  return signal === undefined ? 0 : SIGNAL_EXIT_CODE[signal]
}
