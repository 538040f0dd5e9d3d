/** The `downlink` command as people run it: a process, its input, its two outputs. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export const BIN = fileURLToPath(new URL('../../bin/downlink.js', import.meta.url))
/** Far beyond anything that a test waits for. */
const FOREVER = 60_000

export class Command {
  readonly child: ChildProcessWithoutNullStreams
  stdout = ''
  stderr = ''
  /** The exit code, or the name of the signal, when both outputs are closed too. */
  readonly ended: Promise<number | string | null>
  #news = Promise.withResolvers<void>()
  #over = false

  constructor(child: ChildProcessWithoutNullStreams, reading = true) {
    this.child = child
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#over = true
        this.#tell()
        resolve(signal ?? code)
      })
    })
    // A program that ends early leaves its input broken.
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#tell()
    })
    if (reading) this.read()
  }

  read(): void {
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#tell()
    })
  }

  /** Whole lines of stdout so far. */
  get lines(): readonly string[] {
    return this.stdout.split('\n').slice(0, -1)
  }

  /** Resolves when it holds; looked at after each piece of output. */
  async until(holds: () => boolean): Promise<void> {
    const vain = Promise.withResolvers<never>()
    const timer = setTimeout(() => vain.reject(new Error(`Waited in vain: ${this.#report()}`)), FOREVER)
    try {
      while (!holds()) {
        if (this.#over) throw new Error(`The command ended: ${this.#report()}`)
        await Promise.race([this.#news.promise, vain.promise])
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }

  #report(): string {
    const { spawnargs } = this.child
    return `${spawnargs.slice(2).join(' ')}\n${this.stdout.slice(-2000)}\n${this.stderr.slice(-2000)}`
  }
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Whether stdout is read; else `read()` begins. Default true. */
  readonly reading?: boolean
  /** The folder that it runs in. Default that of the tests. */
  readonly cwd?: string
}

/** Starts it; it is gone when the test is. */
export function run(
  t: TestContext,
  args: readonly string[],
  { env = {}, reading = true, cwd = process.cwd() }: RunOptions = {},
): Command {
  const { DOWNLINK_URL: _, DOWNLINK_TOKEN: __, DOWNLINK_SECRET: ___, ...inherited } = process.env
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...inherited, ...env }, cwd })
  const command = new Command(child, reading)
  t.after(async () => {
    child.kill('SIGKILL')
    child.stdout.resume()
    await command.ended
  })
  return command
}

/** Runs it to its end, with this input. */
export async function result(
  t: TestContext,
  args: readonly string[],
  input: string | Uint8Array = '',
  options: RunOptions = {},
): Promise<{ readonly code: number | string | null; readonly stdout: string; readonly stderr: string }> {
  const command = run(t, args, options)
  command.child.stdin.end(input)
  const code = await command.ended
  return { code, stdout: command.stdout, stderr: command.stderr }
}

/** `downlink serve`, ready; on a log in memory, unless the arguments name one. */
export async function serving(
  t: TestContext,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<{ command: Command; url: string }> {
  const chosen = args.includes('--log') || args.includes('--config') || options.cwd !== undefined
  const command = run(t, ['serve', ...(chosen ? [] : ['--log', 'memory']), ...args], options)
  await command.until(() => command.stdout.includes('Ctrl-C'))
  return { command, url: /http:\/\/\S+:\d+/.exec(command.stdout)?.[0] ?? '' }
}

/** What `downlink serve` has logged: each line's level and message. */
export function messagesOf(command: Command): readonly string[] {
  return recordsOf(command).map(({ level, msg }) => `${String(level)} ${String(msg)}`)
}

/** What `downlink serve` has logged. @throws when stderr has anything else */
export function recordsOf({ stderr }: Command): readonly Readonly<Record<string, unknown>>[] {
  const lines = stderr.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}
