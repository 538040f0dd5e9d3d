/** Calls from the benchmark to its generators, which are processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onCore } from '../machine/cores.ts'
import { keep } from '../machine/children.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- each side knows its own
type Methods = Record<string, (...args: any[]) => unknown>

interface Call {
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** In the generator: answers calls until the benchmark is gone. */
export function answer(methods: Methods): void {
  process.on('message', ({ id, name, args }: Call) => {
    void call(methods, name, args).then((reply) => process.send?.({ id, ...reply }))
  })
  process.on('disconnect', () => process.exit())
  process.on('SIGINT', () => {})
}

async function call(methods: Methods, name: string, args: readonly unknown[]): Promise<Omit<Reply, 'id'>> {
  try {
    return { result: await methods[name]?.(...args) }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

export type Remote<M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

export interface Generator<M> {
  readonly call: Remote<M>
  readonly pid: number
  stop(): void
}

/** In the benchmark: starts a generator on a core that the server does not have. */
export function startGenerator<M>(file: string, core: number): Generator<M> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const [command, ...args] = onCore(core, [process.execPath, ...process.execArgv, path])
  const child = keep(
    spawn(command as string, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    }),
  )
  return { call: remote(child), pid: child.pid as number, stop: () => void child.kill('SIGKILL') }
}

function remote<M>(child: ChildProcess): Remote<M> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let calls = 0
  child.on('message', ({ id, result, error }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(error))
  })
  child.on('exit', (status, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`a generator ended: ${status ?? signal}`))
    waiting.clear()
  })
  return new Proxy({} as Remote<M>, {
    get:
      (_, name: string) =>
      (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          const id = ++calls
          waiting.set(id, { resolve, reject })
          child.send({ id, name, args })
        }),
  })
}
