/**
 * Installs what the tests need and this machine lacks: see the tables of `tools.mjs`.
 *
 * The benchmarks have tables of their own, so that nobody needs their peers to run the tests.
 *
 * It starts no service and leaves none running. Where everything is there it only looks. Where it may not
 * install it fails, and says the exact line to type.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  benchPackages,
  benchSystemTools,
  findCommand,
  frameworks,
  hasFramework,
  hasRuntime,
  hasSystemTool,
  runtimes,
  systemTools,
  toolFolder,
} from './tools.mjs'

/** A tool that is missing and can't be installed from here. The message says what to type. */
class ToolsError extends Error {}

/** @throws {ToolsError} when something is missing and can't be had */
export function ensureBenchTools() {
  const system = benchSystemTools.filter((tool) => !hasSystemTool(tool))
  if (system.length > 0) installSystemTools(system)
  for (const tool of benchPackages) if (!hasFramework(tool)) installFramework(tool)
}

/** @throws {ToolsError} when something is missing and can't be had */
export function ensureTools() {
  const system = systemTools.filter((tool) => !hasSystemTool(tool))
  const missing = runtimes.filter((runtime) => !hasRuntime(runtime))
  if (system.length > 0) installSystemTools(system)
  for (const runtime of missing) installRuntime(runtime)
  for (const framework of frameworks) if (!hasFramework(framework)) installFramework(framework)
}

function installSystemTools(missing) {
  const packages = missing.map((tool) => tool.package)
  for (const tool of missing) console.log(`missing: ${tool.commands[0]} (${tool.why})`)
  const line = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (findCommand('apt-get') === undefined) {
    throw new ToolsError(
      `This needs ${packages.join(', ')}, and there is no apt-get here. Install them so that PATH has ` +
        `${missing.map((tool) => tool.commands[0]).join(', ')}; on Debian: sudo sh -c '${line}'`,
    )
  }
  const prefix = rootPrefix()
  if (prefix === undefined) {
    throw new ToolsError(
      `This needs ${packages.join(', ')}, and only root may install. Type: sudo sh -c '${line}'`,
    )
  }
  withoutStartingServices(prefix, () => {
    const apt = (...args) =>
      run([...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', ...args])
    const install = () => apt('install', '-y', '--no-install-recommends', ...packages)
    // The lists of a fresh machine are empty or old, so the update comes first whenever anything is missing.
    if (apt('update') && install()) return
    throw new ToolsError(`Could not install ${packages.join(', ')}. Type: sudo sh -c '${line}'`)
  })
}

/** What to put before a command so that it runs as root, or undefined when that takes a password. */
function rootPrefix() {
  if (process.getuid?.() === 0) return []
  const sudo = findCommand('sudo')
  if (sudo !== undefined && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0)
    return [sudo, '-n']
  return undefined
}

const POLICY = '/usr/sbin/policy-rc.d'
const POLICY_MARK = '# placed by the tests of downlink while they install packages'

/** Debian starts a service as soon as its package is installed, unless `policy-rc.d` answers 101. */
function withoutStartingServices(prefix, action) {
  const ours = !existsSync(POLICY) || readFileSync(POLICY, 'utf8').includes(POLICY_MARK)
  if (!ours && spawnSync(POLICY, ['any', 'start'], { stdio: 'ignore' }).status !== 101) {
    throw new ToolsError(
      `${POLICY} lets packages start services. Make it exit with 101 while the tests install.`,
    )
  }
  // Ctrl-C ends the child; this process stays until the policy is gone again.
  const stay = () => {}
  process.on('SIGINT', stay)
  process.on('SIGTERM', stay)
  try {
    if (ours) {
      const script = `printf '%s\\n' '#!/bin/sh' '${POLICY_MARK}' 'exit 101' > ${POLICY} && chmod 755 ${POLICY}`
      if (!run([...prefix, 'sh', '-c', script])) throw new ToolsError(`Could not write ${POLICY}.`)
    }
    action()
  } finally {
    if (ours) run([...prefix, 'rm', '-f', POLICY])
    process.off('SIGINT', stay)
    process.off('SIGTERM', stay)
  }
}

function installRuntime(runtime) {
  const name = `${runtime.package}@${runtime.version}`
  if (process.platform !== 'linux') {
    throw new ToolsError(
      `This needs ${name} (${runtime.why}), which runs on Linux only. Run them there, or in a container.`,
    )
  }
  installFromNpm(runtime, [name], () => hasRuntime(runtime))
}

function installFramework(framework) {
  const names = Object.entries(framework.packages).map(([name, version]) => `${name}@${version}`)
  installFromNpm(framework, names, () => hasFramework(framework))
}

function installFromNpm(tool, names, isThere) {
  const all = names.join(' ')
  console.log(`fetching ${all} (${tool.why})`)
  const folder = toolFolder(tool)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  // Its own package.json keeps npm from taking the repository for the place to install to.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const args = [
    'install',
    '--prefix',
    folder,
    '--save-exact',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...names,
  ]
  if (run(['npm', ...args]) && isThere()) return
  rmSync(folder, { recursive: true, force: true })
  throw new ToolsError(
    `Could not fetch ${all}. Is the npm registry within reach? Then type: npm ${args.join(' ')}`,
  )
}

/** Runs to the end; its output is shown only when it fails. */
function run([command, ...args]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status === 0) return true
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error === undefined ? '' : `${error.message}\n`}`)
  return false
}

/** Runs it for a script of ours: on a missing tool prints the sentence and ends the process with 1. */
export function ensureToolsOrExit(ensure = ensureTools) {
  try {
    ensure()
  } catch (error) {
    if (!(error instanceof ToolsError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureToolsOrExit()
