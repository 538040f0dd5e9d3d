import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FewATurn } from '../src/http/few-a-turn.ts'

test('what comes all at once is done in order, and others get their turns between', async () => {
  const few = new FewATurn()
  const done: number[] = []
  const turns: number[] = []
  for (let at = 0; at < 200; at++) few.push(() => void done.push(at))
  assert.equal(done.length, 0, 'nothing in the turn in which it came')
  while (done.length < 200) {
    await new Promise(setImmediate)
    turns.push(done.length)
  }
  assert.deepEqual(
    done,
    Array.from({ length: 200 }, (_, at) => at),
  )
  assert.ok(turns.length >= 4, `${turns.length} turns`)
  few.push(() => void done.push(200))
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  assert.equal(done.length, 201)
})
