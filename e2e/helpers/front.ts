/**
 * The proxies of docs/deploy, run with the very files that stand there. What a test has to change is ports, paths, accounts and the
 * name of the site, and nothing else: each change is a line below, and must find what it changes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, startListening } from '../../packages/hub/test/proxies/programs.ts'
import { tools } from '../../scripts/tools.mjs'
import { certificate } from './certificate.ts'

export const deploy = fileURLToPath(new URL('../../docs/deploy/', import.meta.url))

/** What the file says, what stands there in the test, and how often. */
type Change = readonly [said: string, instead: string, times?: number]

interface Place {
  readonly folder: string
  readonly port: number
  /** Where plain HTTP is redirected from. */
  readonly plainPort: number
  /** `host:port` */
  readonly target: string
}

interface Kind {
  readonly name: string
  readonly file: string
  readonly command: (file: string, folder: string) => readonly [string, ...string[]]
  readonly changes: (place: Place) => readonly Change[]
  /** Where it logs, below its folder; undefined: its output. */
  readonly log?: string
}

const SITE = 'hub.example.com'
const ORIGIN = 'https://app.example.com'
const ROOT = process.getuid?.() === 0

export const fronts: Readonly<Record<'nginx' | 'haproxy' | 'caddy', Kind>> = {
  nginx: {
    name: 'nginx',
    file: 'nginx.conf',
    command: (file, folder) => [tools.nginx, '-p', folder, '-c', file, '-e', 'stderr', '-g', 'daemon off;'],
    log: 'access.log',
    changes: ({ folder, port, plainPort, target }) => [
      ['user www-data;', ROOT ? 'user root;' : ''],
      ['worker_processes auto;', 'worker_processes 1;'],
      ['/run/nginx.pid', `${folder}/nginx.pid`],
      ['/var/log/nginx/', `${folder}/`, 2],
      [
        'http {',
        `http { ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
          .map((name) => `${name}_temp_path ${folder}/${name};`)
          .join(' ')}`,
      ],
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`, 2],
      ['listen 80;', `listen 127.0.0.1:${plainPort};`],
      [SITE, 'localhost', 2],
      ['/etc/ssl/hub/fullchain.pem', certificate().certFile],
      ['/etc/ssl/hub/privkey.pem', certificate().keyFile],
      ['127.0.0.1:4080', target],
    ],
  },
  haproxy: {
    name: 'HAProxy',
    file: 'haproxy.cfg',
    command: (file) => [tools.haproxy, '-db', '-f', file],
    changes: ({ port, plainPort, target }) => [
      ['log /dev/log local0', 'log stdout format raw local0'],
      ['maxconn 16000', 'maxconn 1000'],
      ['  user haproxy\n  group haproxy\n', ''],
      ['bind :443 ssl', `bind 127.0.0.1:${port} ssl`],
      ['bind :80\n', `bind 127.0.0.1:${plainPort}\n`],
      [SITE, 'localhost'],
      ['/etc/haproxy/hub.pem', certificate().bothFile],
      ['127.0.0.1:4080', target, 2],
    ],
  },
  caddy: {
    name: 'Caddy',
    file: 'Caddyfile',
    command: (file) => [tools.caddy, 'run', '--config', file, '--adapter', 'caddyfile'],
    log: 'access.log',
    changes: ({ folder, port, plainPort, target }) => [
      [
        '\n{\n',
        `\n{\n\tadmin off\n\tskip_install_trust\n\thttp_port ${plainPort}\n\tdefault_bind 127.0.0.1\n`,
      ],
      [`http://${SITE} {`, 'http://localhost {'],
      [`\n${SITE} {\n`, `\nlocalhost:${port} {\n\ttls ${certificate().certFile} ${certificate().keyFile}\n`],
      ['/var/log/caddy/', `${folder}/`],
      ['127.0.0.1:4080', target],
    ],
  },
}

export interface FrontOptions {
  /** In place of the origin that the comments name as an example; the lines around it then hold. */
  readonly origin?: string
  /** More that differs, such as times. */
  readonly changes?: readonly Change[]
}

export interface Front {
  /** `https://localhost:<port>` */
  readonly url: string
  readonly port: number
  /** Where it listens without TLS: `http://localhost:<port>`. */
  readonly plain: string
  readonly accessLog: () => string
  /** All that it has written anywhere, the access log too. */
  readonly written: () => string
}

/** Starts it in front of a hub; it is stopped when the test ends. @param hub an origin on 127.0.0.1 */
export async function startFront(
  t: Pick<TestContext, 'after'>,
  name: keyof typeof fronts,
  hub: string,
  { origin, changes: more = [] }: FrontOptions = {},
): Promise<Front> {
  const { file, command, changes, log, ...kind } = fronts[name]
  const plainPort = await freePort()
  const running = await startListening(t, kind.name, (folder, port) => {
    mkdirSync(join(folder, 'logs'), { recursive: true })
    const place = { folder, port, plainPort, target: new URL(hub).host }
    let text = readFileSync(join(deploy, file), 'utf8')
    if (origin !== undefined) text = nameOrigin(text, origin)
    for (const change of [...changes(place), ...more]) text = changed(text, change, file)
    const path = join(folder, file)
    writeFileSync(path, text)
    return command(path, folder)
  })
  const read = (path: string): string => {
    try {
      return readFileSync(join(running.folder, path), 'utf8')
    } catch {
      return ''
    }
  }
  const accessLog = log === undefined ? running.said : () => read(log)
  return {
    url: `https://localhost:${running.port}`,
    port: running.port,
    plain: `http://localhost:${plainPort}`,
    accessLog,
    written: () => [accessLog(), running.said(), read('error.log')].join('\n'),
  }
}

/** As the comment says: the lines that name the example's origin are no comments any more. */
function nameOrigin(text: string, origin: string): string {
  const lines = text.split('\n')
  const first = lines.findIndex((line) => line.includes(ORIGIN))
  if (first < 0) throw new Error(`Expected a comment with ${ORIGIN}`)
  for (let at = first; /^\s*# /.test(lines[at] ?? ''); at++) {
    lines[at] = (lines[at] as string).replace('# ', '').replace(ORIGIN, origin)
  }
  return lines.join('\n')
}

function changed(text: string, [said, instead, times = 1]: Change, file: string): string {
  const parts = text.split(said)
  if (parts.length !== times + 1) {
    throw new Error(`Expected ${file} to say ${JSON.stringify(said)} ${times} times, not ${parts.length - 1}`)
  }
  return parts.join(instead)
}
