/** The packages as a stranger gets them: packed, and installed into an empty folder. Built once a process. */
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { packAll } from '../scripts/pack.mjs'

export const exec = promisify(execFile)

export interface Installed {
  readonly folder: string
  readonly tarballs: ReturnType<typeof packAll>
  remove(): Promise<void>
}

/** Builds, packs and installs all packages, and lays the programs of `e2e/consumers` beside them. */
export async function installPacked(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'downlink-packed-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const tarballs = packAll(folder)
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
    await exec('npm', ['install', '--prefix', folder, ...options, ...tarballs.map((pack) => pack.tarball)])
    await cp(fileURLToPath(new URL('consumers', import.meta.url)), folder, { recursive: true })
    return { folder, tarballs, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** The paths in a tarball, without the leading `package/`, sorted. */
export async function listTarball(tarball: string): Promise<string[]> {
  const { stdout } = await exec('tar', ['-tzf', tarball])
  return stdout
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
    .toSorted()
}
