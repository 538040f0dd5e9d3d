/**
 * What a release needs beyond the tests. docs/releasing.md says when.
 *
 *   node scripts/release.mjs version 0.1.0    writes the version into all packages, and into what they need of each other
 *   node scripts/release.mjs check v0.1.0     whether all is as this tag says; what is not is printed
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packages } from './build.mjs'
import { root } from './tools.mjs'

const VERSION = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/

const pathOf = (name) => join(root, 'packages', name, 'package.json')

/** The manifests of all that is published. */
export function readManifests() {
  return packages.map((name) => JSON.parse(readFileSync(pathOf(name), 'utf8')))
}

/**
 * @param {Record<string, any>} manifest
 * @param {string} version
 * @returns {Record<string, any>} the same with another version, also of what it needs of ours
 */
export function withVersion(manifest, version) {
  const dependencies = Object.entries(manifest.dependencies ?? {}).map(([name, needed]) => [
    name,
    name.startsWith('@downlink/') ? version : needed,
  ])
  return {
    ...manifest,
    version,
    ...(dependencies.length > 0 && { dependencies: Object.fromEntries(dependencies) }),
  }
}

/**
 * What keeps a release from being one: a line each.
 *
 * @param {string} tag `v0.1.0`
 * @param {readonly Record<string, any>[]} manifests
 * @param {string} changelog
 * @param {string | undefined} repository `owner/name` of where it is built; npm refuses provenance for another
 * @returns {string[]}
 */
export function problemsOf(tag, manifests, changelog, repository) {
  const version = tag.replace(/^v/, '')
  if (!tag.startsWith('v') || !VERSION.test(version)) return [`${tag} is no tag of a version such as v0.1.0`]
  const problems = []
  for (const manifest of manifests) {
    if (JSON.stringify(withVersion(manifest, version)) !== JSON.stringify(manifest)) {
      problems.push(`${manifest.name} is not at ${version}: node scripts/release.mjs version ${version}`)
    }
    const url = manifest.repository?.url ?? ''
    if (repository !== undefined && !url.endsWith(`/${repository}.git`)) {
      problems.push(
        `${manifest.name} does not name ${repository} in \`repository.url\`: npm refuses its provenance`,
      )
    }
  }
  if (!changelog.includes(`\n## [${version}]`)) problems.push(`CHANGELOG.md has no section [${version}]`)
  return problems
}

function writeVersion(version) {
  if (!VERSION.test(version))
    throw new Error(`Expected a version such as 0.1.0, got ${JSON.stringify(version)}`)
  for (const name of packages) {
    const manifest = withVersion(JSON.parse(readFileSync(pathOf(name), 'utf8')), version)
    writeFileSync(pathOf(name), `${JSON.stringify(manifest, undefined, 2)}\n`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, value = ''] = process.argv.slice(2)
  if (what === 'version') writeVersion(value)
  else if (what === 'check') {
    const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
    const problems = problemsOf(value, readManifests(), changelog, process.env.GITHUB_REPOSITORY)
    for (const problem of problems) console.error(`✖ ${problem}`)
    process.exitCode = problems.length === 0 ? 0 : 1
  } else {
    console.error('Usage: node scripts/release.mjs version 0.1.0 | check v0.1.0')
    process.exitCode = 1
  }
}
