/** The proxies that people have, in front of a server: each in a folder and on a port of its own. No service is started or touched. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tools } from '../../../../scripts/tools.mjs'

/** What it is configured to do beyond its defaults. */
export interface ProgramOptions {
  /** Compresses what clients accept compressed, event streams among it. nginx and Caddy. */
  readonly gzip?: boolean
  /** Buffers also what asks not to be buffered (`X-Accel-Buffering: no`). nginx. */
  readonly ignoresHints?: boolean
  /** Ends a connection on which the server has said nothing for so long. nginx (60,000 is its default) and HAProxy. */
  readonly quietMs?: number
  /** Speaks HTTP/2 by prior knowledge to the server. HAProxy and Caddy. */
  readonly h2c?: boolean
}

interface Program {
  readonly name: string
  /** The command that runs it in the foreground; writes its files into `folder`. `target` is `host:port`. */
  prepare(
    folder: string,
    port: number,
    target: string,
    options: ProgramOptions,
  ): readonly [string, ...string[]]
}

export const programs: Readonly<Record<'nginx' | 'haproxy' | 'caddy', Program>> = {
  nginx: {
    name: 'nginx',
    prepare(folder, port, target, options) {
      const file = join(folder, 'nginx.conf')
      writeFileSync(file, nginxConfig(folder, port, target, options))
      return [tools.nginx, '-p', folder, '-c', file, '-e', 'stderr']
    },
  },
  haproxy: {
    name: 'HAProxy',
    prepare(folder, port, target, { quietMs = 60_000, h2c = false }) {
      const file = join(folder, 'haproxy.cfg')
      writeFileSync(file, haproxyConfig(port, target, quietMs, h2c))
      return [tools.haproxy, '-db', '-f', file]
    },
  },
  caddy: {
    name: 'Caddy',
    prepare(folder, port, target, { gzip = false, h2c = false }) {
      const file = join(folder, 'Caddyfile')
      // By port only: a site with a name answers other names with an empty 200.
      writeFileSync(file, caddyConfig(port, h2c ? `h2c://${target}` : target, gzip))
      return [tools.caddy, 'run', '--config', file, '--adapter', 'caddyfile']
    },
  },
}

/** Debian's defaults, buffering among them; on HTTP/1.0 to the server, without keep-alive. */
function nginxConfig(folder: string, port: number, target: string, options: ProgramOptions): string {
  const { gzip = false, ignoresHints = false, quietMs = 60_000 } = options
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ')
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 512; }
http {
  access_log off;
  ${temporary}
  ${gzip ? 'gzip on; gzip_proxied any; gzip_types text/event-stream application/json;' : ''}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://${target};
      proxy_read_timeout ${quietMs}ms;
      ${ignoresHints ? 'proxy_ignore_headers X-Accel-Buffering;' : ''}
    }
  }
}
`
}

function haproxyConfig(port: number, target: string, quietMs: number, h2c: boolean): string {
  return `
defaults
  mode http
  timeout connect 5s
  timeout client ${quietMs}ms
  timeout server ${quietMs}ms
frontend front
  bind 127.0.0.1:${port}
  default_backend back
backend back
  ${h2c ? 'http-reuse always' : ''}
  server hub ${target} ${h2c ? 'proto h2' : ''}
`
}

function caddyConfig(port: number, target: string, gzip: boolean): string {
  return `
{
  admin off
}
http://:${port} {
  bind 127.0.0.1
  ${gzip ? 'encode gzip' : ''}
  reverse_proxy ${target}
}
`
}

const ATTEMPTS = 5
/** Far beyond what any of them takes. */
const START_MS = 20_000

/**
 * Starts it, and waits until it listens; it is stopped when the test ends. Its requests have headers such as
 * `X-Forwarded-For`: the hub behind it needs `authorize`.
 *
 * @param target an origin on 127.0.0.1
 */
export async function startProgram(
  t: Pick<TestContext, 'after'>,
  name: keyof typeof programs,
  target: string,
  options: ProgramOptions = {},
): Promise<{ readonly url: string }> {
  return startListening(t, programs[name].name, (folder, port) =>
    programs[name].prepare(folder, port, new URL(target).host, options),
  )
}

/** A program that has been started. */
export interface Listening {
  /** With the scheme `http`. */
  readonly url: string
  readonly port: number
  /** For what it writes. */
  readonly folder: string
  /** What it has said so far, on both outputs. */
  readonly said: () => string
}

/**
 * Starts a program in a folder and on a port of its own, and waits until it listens; it is stopped when the test ends.
 *
 * @param prepare the command that runs it in the foreground; may write files into the folder
 */
export async function startListening(
  t: Pick<TestContext, 'after'>,
  name: string,
  prepare: (folder: string, port: number) => readonly [string, ...string[]],
): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'downlink-proxy-'))
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
    const port = await freePort()
    const [command, ...args] = prepare(folder, port)
    const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    t.after(() => stop(child))
    let said = ''
    for (const output of [child.stdout, child.stderr]) output.on('data', (text) => (said += String(text)))
    child.on('error', (error) => (said += error.message))
    if (await listens(child, port)) return { url: `http://127.0.0.1:${port}`, port, folder, said: () => said }
    // Somebody else may have been given the same port in between.
    if (attempt < ATTEMPTS && /address already in use/i.test(said)) continue
    throw new Error(`${name} did not listen: ${said.slice(-2000)}`)
  }
}

/** None of them says that it listens, so it is asked again and again. */
async function listens(child: ChildProcess, port: number): Promise<boolean> {
  const end = performance.now() + START_MS
  while (isRunning(child) && performance.now() < end) {
    const socket = connect(port, '127.0.0.1')
    const accepted = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    })
    socket.destroy()
    // It may be somebody else who accepted.
    if (accepted) return isRunning(child)
    await sleep(10)
  }
  return false
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null
}

async function stop(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exited
  clearTimeout(timer)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
