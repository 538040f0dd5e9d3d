/** Which topics a record goes to, and that none of them stays. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Router } from '../src/delivery/router.ts'
import { Topic } from '../src/delivery/topic.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import type { LogRecord } from '../src/log/log.ts'

function routed(router: Router, channel: string): string[] {
  const record: LogRecord = { kind: 'end', channel, position: 1 }
  const keys: string[] = []
  router.route(record, ({ set }) => void keys.push(set.key))
  return keys.toSorted()
}

test('a record goes once to each topic that names its channel or has a pattern for it', () => {
  const router = new Router()
  for (const parts of [['a'], ['a', 'b'], ['a', '*'], ['n.*', 'n.**'], ['**']]) {
    router.add(new Topic(new ChannelSet(parts)))
  }
  assert.deepEqual(routed(router, 'a'), ['**', 'a', 'a,*', 'a,b'])
  assert.deepEqual(routed(router, 'b'), ['**', 'a,*', 'a,b'])
  assert.deepEqual(routed(router, 'n.x'), ['**', 'n.*,n.**'])
})

test('a topic that was removed gets nothing and is not listed, whatever it was made of', () => {
  const router = new Router()
  const topics = [['a'], ['a', 'b'], ['a', '*'], ['**']].map((parts) => new Topic(new ChannelSet(parts)))
  for (const topic of topics) router.add(topic)
  for (const topic of topics) router.remove(topic)
  assert.deepEqual(routed(router, 'a'), [])
  assert.deepEqual([...router.topics()], [])
  assert.equal(router.topic(new ChannelSet(['a'])), undefined)
})
