/** What is installed, what is published, and by whom: what docs/releasing.md says of the supply chain. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Manifest, problemsOf, readManifests, withVersion } from '../scripts/release.mjs'
import { root } from '../scripts/tools.mjs'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
}

const lock = Object.entries(
  (JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }).packages,
)
const installed = lock.filter(([path, { link }]) => path.startsWith('node_modules/') && link !== true)
const manifests = readManifests()
const whole = JSON.parse(read('package.json')) as Record<string, Record<string, string> | undefined>

test('the lock file has a hash of each package, and says nothing of where it was fetched', () => {
  assert.ok(installed.length > 100)
  for (const [path, { integrity = '', resolved }] of installed) {
    assert.match(integrity, /^sha512-/, path)
    assert.equal(resolved, undefined, path)
  }
})

test('every version is exact, and every dependency has its reason', () => {
  const decisions = read('docs/decisions.md')
  for (const { name: ours, dependencies = {} } of manifests) {
    for (const [name, version] of Object.entries(dependencies)) {
      assert.match(version, /^\d+\.\d+\.\d+$/, `${ours}: ${name}`)
      if (!name.startsWith('@downlink/')) assert.ok(decisions.includes(`\`${name}\``), name)
    }
  }
  for (const [name, version] of Object.entries({
    ...whole['devDependencies'],
    ...whole['optionalDependencies'],
  })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name)
    assert.ok(decisions.includes(`\`${name}\``), name)
  }
})

test('nothing runs when a package of ours is installed', () => {
  for (const { name, scripts } of manifests) assert.equal(scripts, undefined, name)
  const run = installed.filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true)
  assert.deepEqual(run, [])
})

test('a version goes into all packages and what they need of each other, and a tag of another one is refused', () => {
  const repository = { type: 'git', url: 'git+https://github.com/owner/name.git' }
  const next = manifests.map((manifest): Manifest => ({ ...withVersion(manifest, '1.2.3'), repository }))
  const changelog = '# Changelog\n\n## [1.2.3] - 2026-12-01\n'
  assert.deepEqual(problemsOf('v1.2.3', next, changelog, 'owner/name'), [])
  assert.equal(next.find(({ name }) => name === '@downlink/hub')?.dependencies?.['@downlink/wire'], '1.2.3')
  assert.deepEqual(
    Object.keys(withVersion(manifests[0] as Manifest, '1.2.3')),
    Object.keys(manifests[0] as Manifest),
  )

  const others = next.map((manifest, index) => (index === 1 ? withVersion(manifest, '1.2.2') : manifest))
  assert.match(
    problemsOf('v1.2.3', others, changelog, undefined).join('\n'),
    /^@downlink\/client is not at 1\.2\.3[^\n]*$/,
  )
  assert.match(problemsOf('v1.2.3', next, changelog, 'some/fork').join('\n'), /some\/fork/)
  assert.deepEqual(problemsOf('v1.2.3', next, '', undefined), ['CHANGELOG.md has no section [1.2.3]'])
  for (const tag of ['1.2.3', 'v1.2', 'v1.2.3; true', 'v'])
    assert.equal(problemsOf(tag, next, changelog, undefined).length, 1, tag)
})

test('the workflow that publishes has an identity in one job only, in which nothing of others is run, and no secrets', () => {
  const text = read('.github/workflows/release.yml').replaceAll(/^ *#.*\n/gm, '')
  const [head = '', jobs = ''] = text.split(/^jobs:\n/m)
  assert.match(head, /^permissions: \{\}$/m)
  const each = new Map(
    jobs
      .split(/^ {2}(?=\w+:$)/m)
      .slice(1)
      .map((job) => [job.slice(0, job.indexOf(':')), job]),
  )
  assert.deepEqual([...each.keys()], ['build', 'publish', 'announce'])
  for (const [name, job] of each) {
    assert.equal(job.includes('id-token: write'), name === 'publish', name)
    assert.equal(job.includes('contents: write'), name === 'announce', name)
    assert.match(job, /timeout-minutes: \d+/, name)
  }
  assert.match(
    each.get('publish') ?? '',
    /environment: npm[^]*npm publish [^\n]* --provenance --access public --ignore-scripts/,
  )
  assert.doesNotMatch(each.get('publish') ?? '', /checkout|npm ci|npm test/)
  assert.doesNotMatch(text, /secrets\.|github\.event|\$\{\{(?! github\.token \}\})/)
  for (const [, action = ''] of text.matchAll(/uses: (\S+)/g))
    assert.match(action, /^actions\/[\w-]+@(?:v\d+|[0-9a-f]{40})$/)
  for (const { name, publishConfig } of manifests)
    assert.deepEqual(publishConfig, { access: 'public', provenance: true }, name)
})
