/** Calls into a worker thread, and their answers. Both ends. */
import { type MessagePort, parentPort, Worker } from 'node:worker_threads'
import { LogError, type LogErrorCode } from '../log.ts'

interface Call {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: Failure }

interface Failure {
  readonly message: string
  /** Of a `LogError`. */
  readonly code?: LogErrorCode
}

interface Waiting {
  resolve(result: never): void
  reject(error: unknown): void
}

/** The near end. `Calls` are the functions that the worker answers: one argument, one result. */
export class Thread<Calls extends Record<keyof Calls, (argument: never) => unknown>> {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #gone: Error | undefined

  /** @param url Of the worker's file, as source or built. */
  constructor(url: URL, workerData: unknown) {
    // A checkout runs from source, and the condition by which its packages find each other does not reach a worker by itself.
    const fromSource = url.pathname.endsWith('.ts')
    this.#worker = new Worker(url, {
      workerData,
      ...(fromSource
        ? { execArgv: ['--conditions=@downlink/source', '--no-warnings'] }
        : { execArgv: ['--no-warnings'] }),
    })
    this.#worker.on('message', (answer: Answer) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new LogError('log-unavailable', 'A thread of the log has ended')))
    this.#worker.unref()
  }

  call<Name extends keyof Calls & string>(
    name: Name,
    argument: Parameters<Calls[Name]>[0],
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    if (this.#gone) return Promise.reject(this.#gone)
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // Whoever waits for an answer keeps the process alive; an idle log does not.
      this.#worker.ref()
      const call: Call = { id, name, argument }
      // oxlint-disable-next-line require-post-message-target-origin -- a thread is no window
      this.#worker.postMessage(call)
    })
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if ('result' in answer) waiting?.resolve(answer.result as never)
    else waiting?.reject(revive(answer.failure))
  }

  #end(error: unknown): void {
    this.#gone ??= new LogError('log-unavailable', 'A thread of the log has failed: restart the hub', {
      cause: error,
    })
    for (const waiting of this.#waiting.values()) waiting.reject(this.#gone)
    this.#waiting.clear()
  }
}

function revive({ message, code }: Failure): Error {
  return code === undefined ? new Error(message) : new LogError(code, message)
}

/** The far end: what to do with a call. A function that returns a generator is run in steps, with the others in between. */
export function answerCalls(functions: Readonly<Record<string, (argument: never) => unknown>>): void {
  const port = parentPort as MessagePort
  port.on('message', ({ id, name, argument }: Call) => {
    try {
      const result = functions[name]?.(argument as never)
      if (isSteps(result)) step(id, result)
      else port.postMessage({ id, result } satisfies Answer)
    } catch (error) {
      fail(id, error)
    }
  })

  function step(id: number, steps: Generator): void {
    try {
      const { done, value } = steps.next()
      if (done) port.postMessage({ id, result: value } satisfies Answer)
      else setImmediate(step, id, steps)
    } catch (error) {
      fail(id, error)
    }
  }

  function fail(id: number, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const failure = error instanceof LogError ? { message, code: error.code } : { message }
    port.postMessage({ id, failure } satisfies Answer)
  }
}

function isSteps(result: unknown): result is Generator {
  return typeof result === 'object' && result !== null && 'next' in result && 'throw' in result
}
