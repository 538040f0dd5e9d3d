/** The crowd, from the thread that runs the Lab. */
import { Worker } from 'node:worker_threads'
import type { LabSettings } from '../report.ts'
import type { CrowdAnswer, CrowdCall, CrowdReport, Plan, Quiet, Target } from './plan.ts'

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const quiet = ['--no-warnings']
/** MB: a run-away crowd is not to take the hub with it. */
const HEAP_MB = 512

type Answer<Of extends CrowdAnswer['of']> = Extract<CrowdAnswer, { of: Of }>

/** Calls are answered in order, one at a time is under way. */
export class Crowd {
  readonly #worker: Worker
  /** Rejects when the thread has failed. */
  readonly failed: Promise<never>
  #settle: ((answer: CrowdAnswer) => void) | undefined
  #queue: Promise<unknown> = Promise.resolve()

  constructor() {
    // A checkout runs from source, and the condition by which its packages find each other does not reach a worker by itself.
    const execArgv = suffix === '.ts' ? ['--conditions=@downlink/source', ...quiet] : quiet
    this.#worker = new Worker(new URL(`./crowd-worker${suffix}`, import.meta.url), {
      execArgv,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    this.#worker.on('message', (answer: CrowdAnswer) => this.#settle?.(answer))
    this.failed = new Promise((_, reject) => {
      this.#worker.on('error', reject)
      this.#worker.on('exit', () => reject(new Error('The thread of the crowd has ended')))
    })
    this.failed.catch(() => {})
  }

  /** Puts a network in front of the target, until the end. @returns its port on 127.0.0.1, for plain HTTP */
  async network(network: LabSettings['network'], target: Target, seed: number): Promise<number> {
    return (await this.#call({ do: 'network', network, target, seed }, 'network')).port
  }

  /** Resolves when all clients have tried to connect, or after 5 s. */
  async start(plan: Plan): Promise<void> {
    await this.#call({ do: 'start', plan }, 'start')
  }

  async report(due: number, quiet: Quiet = 'none'): Promise<CrowdReport> {
    return (await this.#call({ do: 'report', due, quiet }, 'report')).report
  }

  /** All clients leave; another crowd may start. */
  async stop(): Promise<void> {
    await this.#call({ do: 'stop' }, 'stop')
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #call<Of extends CrowdCall['do']>(call: CrowdCall, of: Of): Promise<Answer<Of>> {
    const answered = this.#queue.then(() => this.#ask(call))
    this.#queue = answered.catch(() => {})
    return answered.then((answer) => {
      if (answer.of === of) return answer as Answer<Of>
      throw new Error(answer.of === 'failure' ? answer.message : 'The crowd answers something else')
    })
  }

  #ask(call: CrowdCall): Promise<CrowdAnswer> {
    const answer = new Promise<CrowdAnswer>((resolve) => (this.#settle = resolve))
    // oxlint-disable-next-line require-post-message-target-origin -- a thread is no window
    this.#worker.postMessage(call)
    return Promise.race([answer, this.failed])
  }
}
