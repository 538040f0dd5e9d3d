/** `downlink publish`: an argument, or the lines of standard input as they come. */
import type { Readable } from 'node:stream'
import { Argument, Command } from 'commander'
import { batchLimit } from './batch.ts'
import { entriesOf, Input } from './input.ts'
import { headerOption, hubOption, tokenOption, withToken } from './options.ts'
import { Publisher } from './publisher.ts'
import { type EndSignal, onEndSignal, SIGNAL_EXIT_CODE } from './signals.ts'
import { channelValue, type HeaderList, typeValue } from './values.ts'

export interface PublishOptions {
  readonly hub: string
  readonly header?: HeaderList
  readonly tokenEnv?: string
  readonly type?: string
  readonly ndjson?: true
  readonly end?: true
  readonly verbose?: true
}

export type RunPublish = (channel: string, data: string | undefined, options: PublishOptions) => Promise<void>

export function publishCommand(run: RunPublish): Command {
  return new Command('publish')
    .summary('publish an event, or each line of standard input')
    .description(
      'Publish DATA as one event, or each line of standard input as it comes. Lines are published in order, those ' +
        'that arrive while a request runs together in the next one, and each is tried until the hub has it. ' +
        'After Ctrl-C what was read is still published; a second one ends it at once.',
    )
    .addArgument(new Argument('<channel>', 'a channel, or several with commas').argParser(channelValue))
    .argument('[data]', 'the data of one event')
    .option('-t, --type <type>', 'the type of the events (default: message)', typeValue)
    .option('--ndjson', 'each line is {"data": …} in JSON, with a "type" of its own if it likes')
    .option('--end', 'end the channel after the last event: it takes no more, and its readers are told')
    .option('-v, --verbose', 'print the id of each event')
    .addOption(hubOption())
    .addOption(headerOption())
    .addOption(tokenOption())
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Examples:
  downlink publish demo hello
  vmstat 1 | downlink publish vmstat
  downlink publish orders.42 '{"total":1250}' --type paid --end
`,
    )
    .action(run)
}

export interface PublishIo {
  readonly stdin: Readable
  readonly print: (text: string) => void
  readonly tell: (line: string) => void
}

/** Resolves with the exit code when the hub has everything. @throws {Failure} */
export async function publish(
  channel: string,
  data: string | undefined,
  options: PublishOptions,
  { stdin, print, tell }: PublishIo,
): Promise<number> {
  const ndjson = options.ndjson ?? false
  const publisher = new Publisher({
    hub: options.hub,
    channel,
    ndjson,
    headers: withToken(options.header, options.tokenEnv, process.env),
    source: data === undefined ? 'standard input' : 'the argument',
    published: (ids) => {
      if (options.verbose) print(ids.map((id) => `${id}\n`).join(''))
    },
    tell,
    ...(options.type === undefined ? {} : { type: options.type }),
  })
  const input = new Input(ndjson, tell)
  let interrupted: EndSignal | undefined
  const release = onEndSignal((signal) => {
    interrupted = signal
    input.stop()
  })
  try {
    if (data === undefined) input.read(stdin)
    else input.put(entriesOf(data, ndjson))
    const limit = batchLimit(channel.split(',').length)
    for (let batch = await input.take(limit); batch !== undefined; batch = await input.take(limit)) {
      await publisher.publish(batch)
    }
    if (options.end && interrupted === undefined) await publisher.end()
  } finally {
    release()
    // Else an open pipe would keep the process.
    stdin.destroy()
  }
  return interrupted === undefined ? 0 : SIGNAL_EXIT_CODE[interrupted]
}
