/** The near end of `hub-program.ts`: a hub that can be killed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { SqliteLogOptions } from '../../src/log/sqlite/sqlite-log.ts'

const PROGRAM = fileURLToPath(new URL('hub-program.ts', import.meta.url))

export type OpenOptions = Pick<SqliteLogOptions, 'path' | 'durability' | 'retention'>

export interface Opened {
  readonly url: string
  readonly epoch: string
  readonly broke?: string
}

export class HubProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #lines: AsyncIterator<string>

  /** Starts the process; the log is opened by `open`. */
  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, ['--conditions=@downlink/source', '--no-warnings', PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    this.#exited = once(this.#child, 'exit')
    assert.ok(this.#child.stdout)
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async open(options: OpenOptions): Promise<Opened> {
    const answer = await this.tryToOpen(options)
    if (!('port' in answer)) throw new Error(`The hub did not start: ${JSON.stringify(answer)}`)
    return {
      url: `http://127.0.0.1:${answer.port}`,
      epoch: answer.epoch,
      ...(answer.broke === undefined ? {} : { broke: answer.broke }),
    }
  }

  async tryToOpen(
    options: OpenOptions,
  ): Promise<{ port: number; epoch: string; broke?: string } | { code: string; message: string }> {
    this.#child.stdin?.write(`${JSON.stringify(options)}\n`)
    const line = await this.#lines.next()
    if (line.done) throw new Error('The hub has died while it opened its log')
    return JSON.parse(line.value) as { port: number; epoch: string }
  }

  /** As the kernel does it when memory is short: nobody gets a word in. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}
