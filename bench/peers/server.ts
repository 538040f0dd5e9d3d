/** A server under measurement: a process on a core of its own, and what it costs. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { atEnd, keep } from '../machine/children.ts'
import { onCore, SERVER_CORE } from '../machine/cores.ts'
import { cpuOf, family, filesOf, rssOf, waitedOf } from '../machine/proc.ts'
import { type Dialect, dialects } from './dialect.ts'

export interface Server {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly dialectName: string
  readonly dialect: Dialect
  /** Of all its processes and threads, in milliseconds since they started. */
  cpuMs(): number
  /** How long somebody else had its core while it was ready to run, in milliseconds: see `waitedOf`. */
  waitedMs(): number
  /** Bytes. */
  rss(): number
  /** Descriptors that are open. */
  files(): number
  /** What it was asked over its channel to this process; only servers of `bench/peers` answer. */
  ask<T>(question: string): Promise<T>
  stop(): Promise<void>
}

/** Something to measure. Each start is a fresh process. */
export interface Peer {
  readonly name: string
  start(): Promise<Server>
}

export interface ServerOptions {
  readonly name: string
  readonly dialect: string
  readonly command: readonly string[]
  /** Known before, or told in the output as `port <number>`. */
  readonly port?: number
  readonly ipc?: boolean
  readonly env?: Readonly<Record<string, string>>
  readonly cleanup?: () => void
}

const HOST = '127.0.0.1'
const STARTING_MS = 20_000

/** @throws {Error} with what the server said, when it does not start */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { name, dialect, ipc = false, env = {}, cleanup = () => {} } = options
  const release = atEnd(cleanup)
  const [command, ...args] = onCore(SERVER_CORE, options.command)
  const child = keep(
    spawn(command as string, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
      env: { ...process.env, ...env },
    }),
  )
  const exited = once(child, 'exit')
  const port = await portOf(child, options)
  const pids = (): number[] => family(child.pid as number)
  return {
    name,
    host: HOST,
    port,
    dialectName: dialect,
    dialect: dialects[dialect] as Dialect,
    cpuMs: () => cpuOf(pids()),
    waitedMs: () => pids().reduce((sum, pid) => sum + waitedOf(pid), 0),
    rss: () => rssOf(pids()),
    files: () => filesOf(pids()),
    async ask<T>(question: string) {
      const answered = once(child, 'message')
      child.send(question)
      return (await answered)[0] as T
    },
    async stop() {
      child.kill('SIGTERM')
      // One that hangs on its connections is no use to wait for.
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(timer)
      release.release()
    },
  }
}

async function portOf(child: ChildProcess, options: ServerOptions): Promise<number> {
  const told = toldPort(child, options)
  if (options.port === undefined) return told
  // One that ends at once fails here; one that is there is asked until it answers.
  await Promise.race([told, untilOpen(options.port)])
  told.catch(() => {})
  return options.port
}

/** The port that its output tells. @throws {Error} when it ends before, or is silent for too long */
function toldPort(child: ChildProcess, { name }: ServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`${name} does not start: ${said}`)), STARTING_MS)
    timer.unref()
    const listen = (bytes: Buffer): void => {
      said = (said + bytes.toString()).slice(-4_000)
      const told = /port (\d+)/.exec(said)?.[1]
      if (told === undefined) return
      clearTimeout(timer)
      resolve(Number(told))
    }
    child.stdout?.on('data', listen)
    child.stderr?.on('data', listen)
    child.once('exit', (status, signal) => {
      clearTimeout(timer)
      reject(new Error(`${name} ended (${status ?? signal}): ${said}`))
    })
  })
}

async function untilOpen(port: number): Promise<void> {
  for (let left = 200; ; left--) {
    try {
      await fetch(`http://${HOST}:${port}/`)
      return
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}
