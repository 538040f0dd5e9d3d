/** What holds for the package as a whole. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CONTROL, isControlType, WireError } from '../src/index.ts'

const SOURCE = new URL('../src/', import.meta.url)

test('the control events have the names of the protocol, and are all reserved', () => {
  assert.deepEqual(CONTROL, {
    open: 'downlink:open',
    gap: 'downlink:gap',
    end: 'downlink:end',
    cursor: 'downlink:cursor',
    expire: 'downlink:expire',
  })
  for (const name of Object.values(CONTROL)) assert.equal(isControlType(name), true)
  assert.equal(isControlType('downlink:later'), true)
  assert.equal(isControlType('downlink:'), true)
  for (const name of ['message', 'downlink', 'Downlink:open', ' downlink:open', 'a downlink:open', '']) {
    assert.equal(isControlType(name), false, name)
  }
})

test('a WireError is an Error with a name and a code', () => {
  const error = new WireError('invalid-cursor', 'text', { cause: 1 })
  assert.ok(error instanceof Error)
  assert.deepEqual(
    [error.name, error.code, error.message, error.cause],
    ['WireError', 'invalid-cursor', 'text', 1],
  )
})

test('the source imports nothing but itself, and uses nothing that a browser of 2020 lacks', () => {
  const files = readdirSync(SOURCE).filter((file) => file.endsWith('.ts'))
  assert.ok(files.length > 6)
  for (const file of files) {
    const text = readFileSync(new URL(file, SOURCE), 'utf8')
    for (const [, from] of text.matchAll(/^(?:import|export)\b[^']* from '([^']+)'/gm)) {
      assert.match(from ?? '', /^\.\//, file)
    }
    assert.doesNotMatch(
      text,
      /\.at\(|hasOwn\(|[wW]ellFormed|replaceAll|structuredClone|\b(?:Buffer|process|require|globalThis)\b|\.toSorted|#\w+/,
      file,
    )
  }
})
