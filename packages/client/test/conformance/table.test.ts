/**
 * docs/conformance.md says what the cases say. After a change of the cases, `UPDATE=1` with this file writes the lists anew.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { cases } from './cases/index.ts'
import { UNSEEN, listOf, statementsOf, withLists } from './table.ts'

const file = new URL('../../../../docs/conformance.md', import.meta.url)
if (process.env['UPDATE']) writeFileSync(file, withLists(readFileSync(file, 'utf8'), cases))
const statements = statementsOf(readFileSync(file, 'utf8'))

test('the page numbers its statements from 1, without a hole', () => {
  assert.deepEqual(
    statements.map(({ number }) => number),
    statements.map((_, index) => index + 1),
  )
})

test('every case belongs to statements of the page, and has a name of its own', () => {
  for (const { name, statements: numbers } of cases) {
    assert(numbers.length > 0, name)
    for (const number of numbers) assert(statements[number - 1], `${name}: there is no statement ${number}`)
  }
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
})

test('every statement lists its cases and deviations, or says why there are none', () => {
  for (const { number, list } of statements) {
    const expected = listOf(cases.filter((one) => one.statements.includes(number)))
    if (expected.length === 0)
      assert(list[0]?.startsWith(UNSEEN), `${number} has no case, and gives no reason`)
    else assert.deepEqual(list, expected, `statement ${number}: UPDATE=1 mends it`)
  }
})
