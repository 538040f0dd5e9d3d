/** Ours, as `downlink serve` runs it, from source. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Peer } from './server.ts'
import { startServer } from './server.ts'

export interface HubPeerOptions {
  /** Default `memory`. `fsync` and `os` are SQLite with that durability, in a folder of its own. */
  readonly log?: 'memory' | 'fsync' | 'os'
  /** As `--retention`. */
  readonly retention?: readonly string[]
  /** As `--compress`. */
  readonly compress?: readonly string[]
  /** As `--limit`. Default none of those by address and subject: all clients of a benchmark are one. */
  readonly limits?: readonly string[]
  /** As `--h2c`. */
  readonly h2c?: boolean
  readonly name?: string
}

const command = fileURLToPath(new URL('../../packages/hub/bin/downlink.js', import.meta.url))
const counting = fileURLToPath(new URL('hub-server.ts', import.meta.url))
const carrying = fileURLToPath(new URL('carriers-server.ts', import.meta.url))

const UNLIMITED = ['streams-per-address', 'publishes-per-subject', 'publishes-per-channel'].map(
  (limit) => `${limit}=none`,
)

export function hub(options: HubPeerOptions = {}): Peer {
  const { log = 'memory', retention = [], compress = [], limits = UNLIMITED, h2c = false, name } = options
  const called = name ?? (log === 'memory' ? 'Downlink' : `Downlink, SQLite ${log}`)
  return {
    name: called,
    start() {
      const folder = log === 'memory' ? undefined : mkdtempSync(join(tmpdir(), 'downlink-bench-'))
      const place = folder === undefined ? 'memory' : `sqlite:${join(folder, 'log.db')}`
      return startServer({
        name: called,
        dialect: 'hub',
        command: [
          process.execPath,
          ...profiling(),
          command,
          'serve',
          '--port=0',
          '--host=127.0.0.1',
          `--log=${place}`,
          ...(folder === undefined ? [] : [`--durability=${log}`]),
          ...retention.map((rule) => `--retention=${rule}`),
          ...compress.map((channels) => `--compress=${channels}`),
          ...limits.map((limit) => `--limit=${limit}`),
          ...(h2c ? ['--h2c'] : []),
        ],
        cleanup: () => folder && rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
      })
    },
  }
}

/** A hub that counts how often its engine is read: see `hub-server.ts`. */
export function countingHub(): Peer {
  return {
    name: 'Downlink',
    start: () =>
      startServer({
        name: 'Downlink',
        dialect: 'hub',
        command: [process.execPath, ...process.execArgv, ...profiling(), counting],
        ipc: true,
      }),
  }
}

/** A hub that is reached by every carrier, and tells its port for those with TLS: see `carriers-server.ts`. */
export function carriedHub(name: string): Peer {
  return {
    name,
    start: () =>
      startServer({
        name,
        dialect: 'hub',
        command: [process.execPath, ...process.execArgv, ...profiling(), carrying],
        ipc: true,
      }),
  }
}

/** `BENCH_CPU_PROF=<folder>` writes a profile of each hub that is measured, when it stops. */
function profiling(): readonly string[] {
  const folder = process.env['BENCH_CPU_PROF']
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]
}
