/** `downlink tail`: prints the events of channels as they come. */
import type { Writable } from 'node:stream'
import { Argument, Command, Option } from 'commander'
import { headerOption, hubOption, tokenOption, withToken } from './options.ts'
import type { TailTransport } from './tail-item.ts'
import { TailPrinter } from './tail-print.ts'
import { tailItems } from './tail-source.ts'
import { afterValue, channelsValue, type HeaderList, lastValue } from './values.ts'
import { written } from './written.ts'

export interface TailOptions {
  readonly hub: string
  readonly header?: HeaderList
  readonly tokenEnv?: string
  readonly after?: string
  readonly last?: number
  readonly json?: true
  readonly transport: TailTransport
}

export function tailCommand(
  run: (channels: readonly string[], options: TailOptions) => Promise<void>,
): Command {
  return new Command('tail')
    .summary('print the events of channels as they come')
    .description(
      'Print the data of each event as it comes, with the name of its channel when there may be several. When the ' +
        'connection breaks or the hub is restarted, go on where it was; when history was lost, say so on stderr. ' +
        'It is over when all the channels have ended.',
    )
    .addArgument(
      new Argument('<channels...>', 'channels, and patterns such as orders.* or orders.**').argParser(
        channelsValue,
      ),
    )
    .addOption(
      new Option('--after <cursor>', 'begin after this event (its id); or start, or now (default: now)')
        .argParser(afterValue)
        .conflicts('last'),
    )
    .addOption(
      new Option('-n, --last <number>', 'begin with the last events, over all channels together').argParser(
        lastValue,
      ),
    )
    .option('--json', 'print each event as JSON on one line: id, channel, type, data, time')
    .addOption(
      new Option('--transport <transport>', 'how to read')
        .choices(['sse', 'long-poll', 'poll'])
        .default('sse'),
    )
    .addOption(hubOption())
    .addOption(headerOption())
    .addOption(tokenOption())
    .addHelpText(
      'after',
      `
Examples:
  downlink tail vmstat
  downlink tail 'orders.**' --last 10
  downlink tail orders.42 --after start --json | jq .data
`,
    )
    .action(run)
}

export interface TailIo {
  readonly stdout: Writable
  readonly tell: (line: string) => void
}

/** Resolves when the channels have ended, or when nobody reads stdout any more. @throws {Failure} */
export async function tail(channels: readonly string[], options: TailOptions, io: TailIo): Promise<void> {
  const { hub, header, tokenEnv, after = 'now', last, json = false, transport } = options
  const start = last === undefined ? { after } : { last }
  const headers = withToken(header, tokenEnv, process.env)
  const printer = new TailPrinter(channels, json)
  // Each write tells its own error; this one is for what is told besides.
  io.stdout.on('error', () => {})
  await tailItems({ hub, channels, start, transport, headers }, io.tell, async (items) => {
    const { out, notes } = printer.print(items)
    for (const note of notes) io.tell(note)
    return out === '' || written(io.stdout, out)
  })
}
