/** Builds and packs the packages as they would be published; one process at a time. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build, packages } from './build.mjs'
import { withLock } from './lock.mjs'
import { root } from './tools.mjs'

/**
 * @param {string} folder where the tarballs go
 * @returns {{ name: string, tarball: string }[]} in the order in which they need each other; the paths are absolute
 * @throws {Error} when a package can't be built or packed; what was wrong has been printed
 */
export function packAll(folder) {
  return withLock(join(root, '.tools', 'build.lock'), () => buildAndPack(folder))
}

function buildAndPack(folder) {
  if (!build()) throw new Error('The packages could not be built.')
  return packages.map((name) => {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
    const { status, stdout, stderr } = spawnSync('npm', args, {
      cwd: join(root, 'packages', name),
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`npm ${args.join(' ')} failed in packages/${name}:\n${stderr}`)
    const [packed] = JSON.parse(stdout)
    return { name: packed.name, tarball: join(folder, packed.filename) }
  })
}
