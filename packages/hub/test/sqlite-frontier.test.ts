import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ChannelSet } from '../src/log/channel-set.ts'
import { SqliteLog } from '../src/log/sqlite/sqlite-log.ts'

const ROUNDS = 200

// What is committed can be read before the thread that wrote it has said so; a cursor of then is one that the hub does not know yet.
test('no page goes beyond the frontier, also while commits are under way', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'downlink-log-'))
  const log = await SqliteLog.open({ path: join(folder, 'log.db'), durability: 'os' })
  const set = new ChannelSet(['a'])
  const limit = { events: 10, bytes: 1e6 }
  const over = new AbortController()
  const pages = async (from: () => { after: number } | { last: number }): Promise<void> => {
    while (!over.signal.aborted) {
      const { cursor } = await log.read(set, from(), limit)
      const { frontier } = log.state()
      assert.ok(cursor <= frontier, `a page up to ${cursor}, and a frontier of ${frontier}`)
    }
  }
  try {
    const append = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) await log.append([{ channel: 'a', data: '' }])
      over.abort()
    }
    await Promise.all([append(), pages(() => ({ after: log.state().frontier })), pages(() => ({ last: 1 }))])
  } finally {
    over.abort()
    await log.close()
    await rm(folder, { recursive: true })
  }
})
