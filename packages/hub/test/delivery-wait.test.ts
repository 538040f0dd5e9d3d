/** Pages that wait: no wake-up is lost, and nothing is left behind. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import type { Page } from '@downlink/wire'
import { readPage } from '../src/delivery/page.ts'
import type { Origin } from '../src/delivery/start.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import { settled } from './simulation/clock.ts'
import { Stage } from './simulation/stage.ts'

const LIMIT = { events: 100, bytes: 1e6 }

function wait(
  stage: Stage,
  parts: string[],
  origin: Origin,
  ms = 30_000,
  signal?: AbortSignal,
): Promise<Page> {
  return readPage(stage.delivery, new ChannelSet(parts), origin, LIMIT, 0, {
    ms,
    ...(signal ? { signal } : {}),
  })
}

function data(page: Page): string[] {
  return page.events.map((event) => event.data)
}

function isIdle({ delivery, log, clock }: Stage): void {
  assert.deepEqual([delivery.waiting, log.followed, clock.timers], [0, [], 0])
}

test('P5.1.2 a wait is over at the end of the turn that has an event', async () => {
  const stage = new Stage()
  const page = wait(stage, ['a'], { after: 'now' })
  await settled()
  assert.equal(stage.delivery.waiting, 1)
  await stage.publish(['a', '1'], ['a', '2'])
  assert.deepEqual(data(await page), ['1', '2'])
  isIdle(stage)
})

test('what others are told wakes nobody', async () => {
  const stage = new Stage()
  const page = wait(stage, ['a'], { after: 'now' })
  await settled()
  const { reads } = stage.log
  for (let n = 0; n < 20; n++) await stage.publish(['b', `${n}`])
  assert.equal(stage.log.reads, reads)
  await stage.publish(['a', '1'])
  assert.deepEqual(data(await page), ['1'])
})

test('an event that comes while the log is read is not slept through', async () => {
  const stage = new Stage()
  const release = stage.log.hold()
  const page = wait(stage, ['a'], { after: 'now' })
  await settled()
  await stage.publish(['a', '1'])
  release()
  assert.deepEqual(data(await page), ['1'])
})

test('an event that comes while the tail begins to follow is not slept through', async () => {
  const stage = new Stage()
  const following = Promise.withResolvers<void>()
  const { listener } = stage.log
  assert.ok(listener)
  // A tail that leaves out what nobody follows: this event is only in the log.
  const own = listener.batch.bind(listener)
  listener.batch = ({ epoch, frontier }) => own({ epoch, records: [], frontier })
  stage.log.following = following.promise
  const page = wait(stage, ['a'], { after: 'now' })
  await settled()
  await stage.publish(['a', '1'])
  listener.batch = own
  following.resolve()
  assert.deepEqual(data(await page), ['1'])
})

test('an empty page comes when the time is up, with the frontier as its cursor', async () => {
  const stage = new Stage()
  const page = wait(stage, ['a'], { after: 'now' }, 30_000)
  await settled()
  await stage.publish(['b', '1'])
  await stage.clock.run(30_000)
  assert.deepEqual([data(await page), (await page).cursor], [[], stage.cursor(1)])
  isIdle(stage)
})

test('P5.1.6 a wait that is aborted is answered with the page as it stands, also when the log has closed', async () => {
  const stage = new Stage()
  const abort = new AbortController()
  const page = wait(stage, ['a'], { after: 'now' }, 30_000, abort.signal)
  await settled()
  abort.abort()
  await stage.log.close()
  assert.deepEqual(data(await page), [])
  isIdle(stage)
})

test('P5.1.6 a wait that would begin after all were ended is answered with the page as it stands', async () => {
  const stage = new Stage()
  const release = stage.log.hold()
  const page = wait(stage, ['a'], { after: 'now' })
  await settled()
  stage.delivery.endAll()
  release()
  assert.deepEqual(data(await page), [])
  isIdle(stage)
})

test('a wait whose signal is aborted before it begins reads once', async () => {
  const stage = new Stage()
  const page = await wait(stage, ['a'], { after: 'now' }, 30_000, AbortSignal.abort())
  assert.deepEqual(data(page), [])
  assert.equal(stage.log.reads, 1)
  isIdle(stage)
})

test('an end, an erased channel and a lost tail wake those who wait', async () => {
  const stage = new Stage()
  await stage.publish(['b', '0'])
  const ended = wait(stage, ['a', 'c'], { after: 'now' })
  const dropped = wait(stage, ['b'], { after: 'now' })
  const idle = wait(stage, ['d'], { after: 'now' })
  await settled()
  await stage.log.append([], { end: ['a'] })
  await stage.log.drop('b')
  await stage.clock.turn()
  assert.deepEqual((await ended).ended, ['a'])
  assert.equal((await dropped).gap?.reason, 'deleted')
  const { reads } = stage.log
  stage.log.listener?.lost()
  await stage.clock.turn()
  assert.equal(stage.log.reads, reads + 1)
  await stage.publish(['d', '1'])
  assert.deepEqual(data(await idle), ['1'])
  isIdle(stage)
})

test('a change of epoch ends a wait with its gap', async () => {
  const stage = new Stage()
  await stage.publish(['a', '1'], ['a', '2'])
  const page = wait(stage, ['a'], { after: 'now' })
  await settled()
  const old = stage.epoch
  stage.log.epochs = [{ name: 'B', parent: { name: old, upTo: 1 } }, { name: old }]
  stage.log.listener?.lost()
  assert.deepEqual((await page).gap, { reason: 'epoch', channels: ['a'], from: `${old}-2`, to: 'B-0' })
  assert.deepEqual(data(await page), ['1', '2'])
  isIdle(stage)
})

test('a page that was read while the epoch changed is read again', async () => {
  const stage = new Stage()
  await stage.publish(['a', '1'])
  const old = stage.epoch
  const release = stage.log.hold()
  const page = wait(stage, ['a'], { after: 'start' }, 0)
  await settled()
  stage.log.epochs = [{ name: 'B', parent: { name: old, upTo: 0 } }, { name: old }]
  release()
  assert.deepEqual(
    (await page).events.map(({ id }) => id),
    ['B-1'],
  )
})

test('a busy hub costs a wait one more read, not one for each event of others', async () => {
  const stage = new Stage()
  const page = wait(stage, ['a'], { after: 'now' })
  for (let n = 0; n < 50; n++) await stage.publish(['b', `${n}`])
  assert.ok(stage.log.reads <= 2, `${stage.log.reads} reads`)
  await stage.publish(['a', '1'])
  assert.deepEqual(data(await page), ['1'])
})

test('a tail that can not follow fails the wait, with nothing left behind', async () => {
  const stage = new Stage()
  stage.log.followFailure = new Error('away')
  await assert.rejects(wait(stage, ['a'], { after: 'now' }), stage.log.followFailure)
  isIdle(stage)
})

test('topics are kept while somebody uses them, and then let go of', async () => {
  const stage = new Stage()
  const one = await stage.open(['a', 'b'])
  const other = await stage.open(['b', 'a'])
  const page = wait(stage, ['a', 'b'], { after: 'now' })
  await settled()
  assert.deepEqual(stage.log.followed, ['a,b'])
  one.reader.closed()
  one.reader.closed()
  other.reader.closed()
  assert.deepEqual(stage.log.followed, ['a,b'])
  await stage.publish(['b', '1'])
  await page
  isIdle(stage)
})

test('an event that comes while the log is read is not slept through where others read already', async () => {
  const stage = new Stage()
  await stage.open(['a'])
  const release = stage.log.hold()
  const page = wait(stage, ['a'], { after: 'now' })
  await settled()
  await stage.publish(['a', '1'])
  release()
  await settled()
  assert.equal(stage.delivery.waiting, 0, 'it sleeps')
  assert.deepEqual(data(await page), ['1'])
})

test('a wait that is over has left nothing on the signal it listened to', async () => {
  const stage = new Stage()
  const { signal } = new AbortController()
  const page = wait(stage, ['a'], { after: 'now' }, 30_000, signal)
  await settled()
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  await stage.publish(['a', '1'])
  await page
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
