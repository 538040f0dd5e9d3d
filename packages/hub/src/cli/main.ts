/** `downlink`: parses, calls, prints. Each command is a file of its own. */
import { Command, CommanderError } from 'commander'
import { Failure, oneLine } from './failure.ts'
import { lab, labCommand } from './lab.ts'
import { logCommand, type LogAction } from './log.ts'
import { publish, publishCommand } from './publish.ts'
import { tail, tailCommand } from './tail.ts'
import { serve, serveCommand } from './serve.ts'
import { tokenCommand, type TokenAction } from './token.ts'
import { version } from './version.ts'

/**
 * Runs a command.
 *
 * @param argv Without the program's own name
 * @returns the exit code, when the command is over: 0, or 1 after one line on stderr that says why
 */
export async function main(argv: readonly string[]): Promise<number> {
  const print = (text: string): void => void process.stdout.write(text)
  const complain = (text: string): void => void process.stderr.write(`downlink: ${text}\n`)
  const tell = (text: string): void => complain(oneLine(text))
  let code = 0
  const program = createProgram([
    serveCommand((options) => serve(options, print)),
    publishCommand(async (channel, data, options) => {
      code = await publish(channel, data, options, { stdin: process.stdin, print, tell })
    }),
    logCommand(async (action: LogAction) => {
      code = await action({ stdin: process.stdin, stdout: process.stdout, tell })
    }),
    tokenCommand(async (action: TokenAction) => {
      code = await action({ stdin: process.stdin, print, env: process.env })
    }),
    labCommand(async (options) => {
      code = await lab(options, { stdout: process.stdout, stderr: process.stderr, tell })
    }),
    tailCommand((channels, options) => tail(channels, options, { stdout: process.stdout, tell })),
  ])
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, argv, complain)
    if (!(error instanceof Failure)) throw error
    complain(oneLine(error.message))
    return 1
  }
}

function createProgram(commands: readonly Command[]): Command {
  const program = new Command('downlink')
    .description('One-way updates over plain HTTP: a hub, what publishes to it, and what reads it.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help, or that of a command')
    .helpCommand('help [command]', 'print the help of a command')
  for (const command of commands) program.addCommand(command)
  for (const command of [program, ...commands.flatMap((one) => [one, ...one.commands])]) {
    if (command !== program) command.helpOption('-h, --help', 'print this help')
    // Errors come out of `parseAsync`, and are printed in one place.
    command.exitOverride().configureOutput({ outputError: () => {} })
  }
  return program
}

/** Help and version are thrown too, after they were printed. */
function usage(error: CommanderError, argv: readonly string[], complain: (text: string) => void): number {
  if (error.exitCode === 0) return 0
  // Help that nobody asked for: no command was given.
  if (error.code === 'commander.help') return 1
  const command =
    /^(?:log (?:info|verify|export|import|compact)|token (?:make|explain)|serve|publish|tail|token|log|lab)\b/.exec(
      argv.join(' '),
    )?.[0]
  const help = `downlink${command === undefined ? '' : ` ${command}`} --help`
  complain(`${oneLine(plain(error.message))} (see \`${help}\`)`)
  return 1
}

/** Commander's `error: option '-p, --port <number>' argument 'x' is invalid. Expected …` says less in more words. */
function plain(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/^option '(?:-\w, )?(--[\w-]+)[^']*' argument '([^]*?)' is invalid\. /, '$1 $2: ')
    .replace(/^command-argument value '([^]*?)' is invalid for argument '([^']*)'\. /, '')
    .replace(/\.$/, '')
}
