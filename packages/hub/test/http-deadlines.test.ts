import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from '../src/http/deadlines.ts'

test('what is over its time expires, in order; what was deleted does not; what came later does later', async () => {
  const deadlines = new Deadlines(20)
  const expired: string[] = []
  const wait = (name: string): Promise<void> =>
    new Promise((resolve) => {
      deadlines.add(() => {
        expired.push(name)
        resolve()
      })
    })
  const never = (): void => void expired.push('never')
  const first = wait('first')
  deadlines.add(never)
  const second = wait('second')
  deadlines.delete(never)
  await first
  // Made when the timer has run out, or is about to.
  const third = wait('third')
  await Promise.all([second, third])
  assert.deepEqual(expired, ['first', 'second', 'third'])
})
