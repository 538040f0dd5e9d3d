import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keysOf, splitKeys, withoutKeys } from '../src/http/keys-in-url.ts'
import { fakeRequest } from './wire-contract/fake-request.ts'

test('takes ticket and access_token off the query, wherever they stand, and leaves the rest as it was', () => {
  assert.deepEqual(splitKeys('after=a%20b&ticket=T.1&x'), { keys: { ticket: 'T.1' }, rest: 'after=a%20b&x' })
  assert.deepEqual(splitKeys('access_token=a%2Bb&ticket=t'), {
    keys: { accessToken: 'a+b', ticket: 't' },
    rest: '',
  })
  assert.deepEqual(splitKeys('my_ticket=1'), { keys: {}, rest: 'my_ticket=1' })
})

test('finds them under percent-encoded names too', () => {
  assert.deepEqual(splitKeys('tick%65t=T&last=1'), { keys: { ticket: 'T' }, rest: 'last=1' })
})

test('a request is rid of them however their names are written', () => {
  for (const query of ['ticket=T', 'tick%65t=T', '%74icket=T&last=1', 'last=1&ticket']) {
    const request = withoutKeys(fakeRequest(query))
    assert.doesNotMatch(request.query, /T|tick/, query)
    assert.notEqual(keysOf(request).ticket, undefined, query)
  }
})

test('refuses one that is given twice', () => {
  assert.throws(() => splitKeys('ticket=1&ticket=2'), { code: 'repeated-parameter' })
  assert.throws(() => splitKeys('ticket=&ticket='), { code: 'repeated-parameter' })
})

test('whatever the query, what is left has none of them, and all the others', () => {
  const name = fc.oneof(fc.constantFrom('ticket', 'access_token', 'after', 'a&b', '__proto__'), fc.string())
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, fc.string()), { selector: ([key]) => key }), (pairs) => {
      const { keys, rest } = splitKeys(
        new URLSearchParams(pairs.map(([key, value]) => [key, value])).toString(),
      )
      const others = pairs.filter(([key]) => key !== 'ticket' && key !== 'access_token')
      assert.deepEqual([...new URLSearchParams(rest)], others)
      assert.equal(keys.ticket, pairs.find(([key]) => key === 'ticket')?.[1])
      assert.equal(keys.accessToken, pairs.find(([key]) => key === 'access_token')?.[1])
    }),
  )
})
