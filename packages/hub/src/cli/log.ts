/** `downlink log`: looks into the file of a log, mends it, and brings events out and in. */
import type { Readable, Writable } from 'node:stream'
import { Argument, Command, Option } from 'commander'
import { DEFAULT_PLACE } from './log-place.ts'
import { compactLog, infoOfLog, verifyLog } from './log-care.ts'
import { exportEvents } from './log-export.ts'
import { importIntoHub } from './log-import-hub.ts'
import { importEvents } from './log-import.ts'
import { headerOption, tokenOption, withToken } from './options.ts'
import { afterCursorValue, channelsValue, type HeaderList, hubValue, sqliteValue } from './values.ts'

export interface LogIo {
  readonly stdin: Readable
  readonly stdout: Writable
  /** One line for people, on stderr. */
  readonly tell: (line: string) => void
}

interface ImportOptions {
  readonly log: string
  readonly hub?: string
  readonly header?: HeaderList
  readonly tokenEnv?: string
}

/** Resolves with the exit code. */
export type LogAction = (io: LogIo) => Promise<number>

/** @param run Throws what the action throws: a `Failure` */
export function logCommand(run: (action: LogAction) => Promise<void>): Command {
  const log = new Command('log')
    .summary('look into the file of a log, verify it, export and import its events')
    .description(
      'Look into a log on disk. A hub may go on using it meanwhile, unless a command says otherwise.',
    )
    .helpCommand(false)
  log
    .addCommand(
      command('info', 'print what the log holds')
        .option('--json', 'print it as JSON')
        .action(({ log: path, json = false }: { log: string; json?: boolean }) =>
          run((io) => infoOfLog(path, json, io)),
        ),
    )
    .addCommand(
      command('verify', 'look for damage; exit code 1 when there is some')
        .description('Look for damage: the file itself, and what its tables say of each other.')
        .action(({ log: path }: { log: string }) => run((io) => verifyLog(path, io))),
    )
    .addCommand(
      command('export', 'print the events as JSON, one a line')
        .description(
          'Print the events in order as JSON, one a line: id, channel, type, data, time; and where a channel ended, a line ' +
            'with "end": true.',
        )
        .option(
          '--channels <patterns>',
          'channels and patterns, with commas or repeated (default: all)',
          channelsValue,
        )
        .option('--after <cursor>', 'only what came after this event (its id)', afterCursorValue)
        .action(
          ({
            log: path,
            channels = ['**'],
            after,
          }: {
            log: string
            channels?: readonly string[]
            after?: string
          }) => run((io) => exportEvents(path, channels, after, io)),
        ),
    )
    .addCommand(
      command('import', 'bring events into a log, or into a hub that runs')
        .description(
          'Bring events into a log, from standard input or a file: JSON, one a line, as export prints it or as ' +
            '{"channel": …, "data": …} with "type" and "time" if you like. All of it, or nothing. They get ids of their own; ' +
            'times are kept as far as none goes back within a channel. No hub may use the log meanwhile. ' +
            'With --hub they are published to a hub that runs, in order and line by line: with new times, and with all its readers told.',
        )
        .addOption(new Option('--hub <url>', 'a hub that runs, instead of --log').argParser(hubValue))
        .addOption(headerOption())
        .addOption(tokenOption())
        .addArgument(new Argument('[file]', 'what to read instead of standard input'))
        .action((file: string | undefined, { log: path, hub, header, tokenEnv }: ImportOptions) =>
          run((io) =>
            hub === undefined
              ? importEvents(path, file, io)
              : importIntoHub(hub, withToken(header, tokenEnv, process.env), file, io),
          ),
        ),
    )
    .addCommand(
      command('compact', 'give space back to the file system')
        .description(
          'Give the space that holds nothing back. A log that no hub uses is written anew, which takes as much space again ' +
            'for the time being; of one in use the free pages are given back a few at a time.',
        )
        .action(({ log: path }: { log: string }) => run((io) => compactLog(path, io))),
    )
  return log.addHelpText(
    'after',
    `
Examples:
  downlink log info
  downlink log export --channels 'orders.**' > orders.ndjson
  downlink log import --log sqlite:new/log.db < orders.ndjson
  downlink log import --hub http://localhost:4080 < orders.ndjson
`,
  )
}

function command(name: string, summary: string): Command {
  const what = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
  return new Command(name)
    .summary(summary)
    .description(what)
    .addOption(
      new Option('--log <log>', 'where it is')
        .default(DEFAULT_PLACE.path, `sqlite:${DEFAULT_PLACE.path}`)
        .argParser(sqliteValue),
    )
    .allowExcessArguments(false)
}
