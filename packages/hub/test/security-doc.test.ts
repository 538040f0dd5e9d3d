/** `docs/security.md` names tests: they are there, under these names. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../../../', import.meta.url)
const doc = readFileSync(new URL('docs/security.md', root), 'utf8')

const fileOf = (name: string): URL | undefined =>
  ['packages/hub/test/', 'e2e/'].map((folder) => new URL(folder + name, root)).find((url) => existsSync(url))

const mentions = [...doc.matchAll(/`([\w./-]+\.ts)`(?: "([^"]+)")?/g)]

test('names tests at all', () => {
  assert.ok(mentions.filter(([, , name]) => name !== undefined).length > 30)
})

for (const [, file = '', name] of mentions) {
  test(`${file}${name === undefined ? '' : `: ${name}`} is there`, () => {
    const url = fileOf(file)
    assert.ok(url, `no ${file} under packages/hub/test or e2e`)
    if (name !== undefined)
      assert.ok(readFileSync(url, 'utf8').includes(name), `${file} has no test "${name}"`)
  })
}
