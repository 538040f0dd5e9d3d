/** A program of somebody else's, and the lines that it says, on both outputs: each has its own idea of what is an error. */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import type { TestContext } from 'node:test'
import { createInterface } from 'node:readline'

/** Far beyond anything that a test waits for. */
const FOREVER = 60_000

export class Program {
  readonly lines: string[] = []
  readonly process: ChildProcess
  /** The exit status, or the name of the signal. */
  readonly ended: Promise<number | string | null>
  #news = Promise.withResolvers<void>()

  constructor(child: ChildProcess) {
    this.process = child
    this.ended = new Promise((resolve) => {
      child.once('close', (status, signal) => {
        resolve(signal ?? status)
        this.#tell()
      })
    })
    child.once('error', (error) => {
      this.#take(error.message)
    })
    for (const input of [child.stdout, child.stderr]) {
      if (input) createInterface({ input }).on('line', (line) => this.#take(line))
    }
  }

  /** Resolves with the first line, from `from` on, for which it holds. Rejects when the program ends, or takes forever. */
  async line(holds: (line: string) => boolean, from = 0): Promise<string> {
    const vain = Promise.withResolvers<never>()
    const timer = setTimeout(() => vain.reject(this.#failure('Waited in vain')), FOREVER)
    try {
      for (;;) {
        const found = this.lines.slice(from).find(holds)
        if (found !== undefined) return found
        if (
          this.process.exitCode !== null ||
          this.process.signalCode !== null ||
          this.process.pid === undefined
        ) {
          throw this.#failure('The program ended')
        }
        await Promise.race([this.#news.promise, vain.promise])
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Resolves with the first `count` lines that are no empty ones and no heartbeats. */
  async firstLines(count: number): Promise<readonly string[]> {
    const said = (): string[] => this.lines.filter((line) => line !== '' && line !== ':')
    await this.line(() => said().length >= count)
    return said().slice(0, count)
  }

  /** The last of it, for a report. */
  get said(): string {
    return this.lines.slice(-30).join('\n')
  }

  async stop(): Promise<void> {
    if (this.process.pid === undefined) return
    this.process.kill('SIGTERM')
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 5_000)
    await this.ended
    clearTimeout(timer)
  }

  #take(line: string): void {
    this.lines.push(line)
    this.#tell()
  }

  #tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }

  #failure(what: string): Error {
    return new Error(`${what}: ${this.process.spawnargs.join(' ')}\n${this.said}`)
  }
}

export function spawnQuietly(command: string, args: readonly string[], options: SpawnOptions = {}): Program {
  return new Program(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options }))
}

/** Starts it; it is stopped when the test ends. */
export function start(
  t: TestContext,
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Program {
  const program = spawnQuietly(command, args, options)
  t.after(() => program.stop())
  return program
}
