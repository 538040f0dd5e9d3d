/**
 * A hub that is killed, again and again, while many publish and read.
 *
 *   DOWNLINK_CRASH_ROUNDS=500 DOWNLINK_CRASH_SEED=7   so many lives instead of 20, with the moments of this seed
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { parseCursor } from '@downlink/wire'
import { ChannelSet } from '../src/log/channel-set.ts'
import type { LogEvent } from '../src/log/log.ts'
import { SqliteLog } from '../src/log/sqlite/sqlite-log.ts'
import { Random } from './simulation/random.ts'
import { HubProcess } from './sqlite/hub-process.ts'
import { Acknowledged, Follower, publish, type Seen, Whereabouts } from './sqlite/storm.ts'
import { askPage, post } from './wire-contract/client.ts'

const rounds = Number(process.env['DOWNLINK_CRASH_ROUNDS'] ?? 20)
const seed = Number(process.env['DOWNLINK_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const CHANNELS = ['a', 'b', 'c.d', 'c.e']
const PUBLISHERS = 16

test(
  `killed ${rounds} times in a storm, a hub loses no acknowledged event, repeats none, and its readers read on`,
  { timeout: 120_000 + rounds * 3_000 },
  async (t) => {
    t.diagnostic(`DOWNLINK_CRASH_SEED=${seed}`)
    const random = new Random(seed)
    const folder = await mkdtemp(join(tmpdir(), 'downlink-crash-'))
    const path = join(folder, 'log.db')
    const where = new Whereabouts()
    const acknowledged = new Acknowledged()
    const audit = new Audit(acknowledged)
    let hub = new HubProcess()
    let next = new HubProcess()
    try {
      const { url, epoch } = await hub.open({ path })
      const [start] = await post(`${url}/channels/start`, 'start')
      assert.ok(start)
      audit.cursor = start
      const followers = ['a', 'a,c.d', 'c.*', '**'].map((channels) => new Follower(channels, where, start))
      const LAST = 'the last'
      const following = followers.map((follower) => follower.follow(({ data }) => data === LAST))
      const publishing = Array.from({ length: PUBLISHERS }, (_, name) =>
        publish(name, CHANNELS, where, acknowledged),
      )
      // Whatever goes wrong there is told at once, not when the test waits for it.
      const wrong = Promise.all([...following, ...publishing]).then(() => undefined)
      wrong.catch(() => {})
      where.found(url)
      for (let round = 0; round < rounds; round++) {
        await Promise.race([wrong, acknowledged.reached(acknowledged.ids.size + random.int(1, 200))])
        // Not only when an answer has just gone out.
        await pause(random.int(0, 20))
        where.lost()
        await hub.kill()
        hub = next
        next = new HubProcess()
        const opened = await hub.open({ path })
        assert.deepEqual([opened.epoch, opened.broke], [epoch, undefined], 'killed is not forgotten')
        await audit.readOn(opened.url)
        where.found(opened.url)
      }
      where.end()
      await Promise.all(publishing)
      const last = await where.url
      for (const channel of ['a', 'c.d']) await post(`${last}/channels/${channel}`, LAST)
      await Promise.all(following)
      await hub.kill()
      const events = await wholeLog(path)
      assert.equal(events.length, acknowledged.ids.size + 3, 'each event is there once')
      checkChain(events)
      checkOrder(events)
      for (const follower of followers) checkFollower(follower, events, epoch)
      checkFile(path)
      if (rounds >= 20)
        assert.ok(audit.unacknowledged > 0, 'a storm in which no answer is lost proves little')
      t.diagnostic(
        `${acknowledged.ids.size} acknowledged, ${audit.unacknowledged} were stored before they were acknowledged`,
      )
    } finally {
      await Promise.all([hub.kill(), next.kill()])
      await rm(folder, { recursive: true, force: true })
    }
  },
)

/** Reads the whole log by pages, bit by bit, and holds it against what was acknowledged. */
class Audit {
  cursor = ''
  /** Stored, but their publishers did not know it when the hub had died: what keys are for. */
  unacknowledged = 0
  readonly #acknowledged: Acknowledged
  readonly #stored = new Map<string, string>()

  constructor(acknowledged: Acknowledged) {
    this.#acknowledged = acknowledged
  }

  async readOn(url: string): Promise<void> {
    for (let more = true; more;) {
      const page = await askPage(`${url}/channels/**?after=${this.cursor}&limit=1000`)
      assert.equal(page.gap, undefined)
      for (const { id, data } of page.events) {
        assert.ok(!this.#stored.has(data), `stored twice: ${data.slice(0, 20)}`)
        this.#stored.set(data, id)
        if (!this.#acknowledged.ids.has(data)) this.unacknowledged++
      }
      this.cursor = page.cursor
      more = page.more
    }
    for (const [data, id] of this.#acknowledged.ids) {
      assert.equal(this.#stored.get(data), id, `acknowledged, and gone: ${data.slice(0, 20)}`)
    }
  }
}

async function wholeLog(path: string): Promise<readonly LogEvent[]> {
  const log = await SqliteLog.open({ path })
  try {
    const events: LogEvent[] = []
    for (let after = 0, more = true; more;) {
      const page = await log.read(new ChannelSet(['**']), { after }, { events: 5_000, bytes: 2 ** 24 })
      events.push(...page.events)
      after = page.cursor
      more = page.more
    }
    return events
  } finally {
    await log.close()
  }
}

/** Each event names the one before it in its channel; time never goes back. */
function checkChain(events: readonly LogEvent[]): void {
  const before = new Map<string, LogEvent>()
  let position = 0
  for (const event of events) {
    assert.ok(event.position > position)
    assert.equal(event.previous, before.get(event.channel)?.position ?? 0)
    assert.ok(event.time >= (before.get(event.channel)?.time ?? 0))
    before.set(event.channel, event)
    position = event.position
  }
}

/** Each publisher waited for one event before it published the next. */
function checkOrder(events: readonly LogEvent[]): void {
  const counts = new Map<string, number>()
  for (const { data } of events) {
    const [name = '', count] = data.split(':')
    if (count === undefined) continue
    assert.equal(Number(count), counts.get(name) ?? 0, `publisher ${name}`)
    counts.set(name, Number(count) + 1)
  }
}

/** Every event of its channels, once, in order, up to where it stopped. */
function checkFollower({ channels, seen }: Follower, events: readonly LogEvent[], epoch: string): void {
  const set = new ChannelSet(channels.split(','))
  const expected = events.filter(({ channel, data }) => set.has(channel) && data !== 'start')
  const brief = ({ id, data }: Seen): [number, string] => [parseCursor(id).position, data]
  assert.ok(seen.every(({ id }) => parseCursor(id).epoch === epoch))
  assert.deepEqual(
    seen.map((one) => brief(one)),
    expected.slice(0, seen.length).map(({ position, data }): [number, string] => [position, data]),
    channels,
  )
  assert.equal(seen.at(-1)?.data, 'the last')
}

function checkFile(path: string): void {
  const db = new DatabaseSync(path)
  try {
    assert.deepEqual({ ...db.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
    const wrong = db.prepare(
      `SELECT c.name FROM channels c WHERE
        c.events <> (SELECT count(*) FROM events e WHERE e.channel = c.id)
        OR c.size <> (SELECT coalesce(sum(length(data)), 0) FROM events e WHERE e.channel = c.id)
        OR c.head <> (SELECT coalesce(max(position), 0) FROM events e WHERE e.channel = c.id)`,
    )
    assert.deepEqual(wrong.all(), [])
  } finally {
    db.close()
  }
}
