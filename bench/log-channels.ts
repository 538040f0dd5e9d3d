/**
 * Claim: a million channels with an event each stay usable: they open, list, read and are trimmed, and trimming never stops
 * appends or reads for long.
 *
 *   node --conditions=@downlink/source bench/log-channels.ts [channels]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChannelSet } from '../packages/hub/src/log/channel-set.ts'
import { SqliteLog } from '../packages/hub/src/log/sqlite/sqlite-log.ts'
import { check, Latencies, ms, rate, timed } from './measure.ts'

const COUNT = Number(process.argv[2] ?? 1_000_000)
const BATCH = 5_000
const DAY = 24 * 3_600_000
const all = new ChannelSet(['**'])
const folder = mkdtempSync(join(tmpdir(), 'downlink-bench-'))
const path = join(folder, 'log.db')
const clock = { now: Date.now() }
const options = {
  path,
  now: () => clock.now,
  retention: [
    { channels: 'stays', age: Infinity },
    { channels: '**', age: DAY },
  ],
}

try {
  let log = await SqliteLog.open(options)
  const filled = await timed(() => fill(log))
  line('filled, 5,000 events an append', `${ms(filled.ms)}, ${rate(COUNT, filled.ms)}`)
  await log.close()
  line('the file', `${Math.round(statSync(path).size / COUNT)} bytes an event`)

  const opened = await timed(() => SqliteLog.open(options))
  log = opened.result
  line('opened', ms(opened.ms))
  line(
    'first read of one channel',
    ms((await timed(() => log.read(new ChannelSet([name(7)]), { after: 0 }, page(100)))).ms),
  )
  await latencyOf(
    'read of one channel',
    (turn) => log.read(new ChannelSet([name(turn * 7919)]), { after: 0 }, page(100)),
    1,
  )
  await latencyOf(
    'append to one channel, 2,000 of them',
    (turn) => log.append([{ channel: name(turn * 7919), data: 'again' }]),
    undefined,
    2_000,
  )
  await latencyOf('newest 100 of all', () => log.read(all, { last: 100 }, page(100)), 100)
  await latencyOf(
    'a page of 100 of all, anywhere',
    (turn) => log.read(all, { after: (turn * 997) % COUNT }, page(100)),
    100,
  )
  await latencyOf(
    'a pattern that matches 1,000',
    (turn) => log.read(new ChannelSet([`c.${turn % (COUNT / 1000)}.*`]), { after: 0 }, page(100)),
    100,
  )
  await latencyOf('a page of the list', (turn) => log.channels(all, name(turn * 7919), 1_000))
  const listed = await timed(() => listAll(log))
  check(listed.result === COUNT, `${listed.result} channels are listed`)
  line('all listed, 1,000 a page', ms(listed.ms))

  // Everything is too old at once.
  clock.now += DAY + 60_000
  const appends = new Latencies()
  const reads = new Latencies()
  const trimmed = await timed(async () => {
    for (let left = COUNT; left > 0; left = await keptOf(log)) {
      for (let turn = 0; turn < 50; turn++) {
        appends.add((await timed(() => log.append([{ channel: 'stays', data: 'x' }]))).ms)
        reads.add((await timed(() => log.read(new ChannelSet(['stays']), { last: 10 }, page(10)))).ms)
      }
    }
  })
  line('all trimmed by age, beside one publisher and one reader', ms(trimmed.ms))
  line('  its appends meanwhile', String(appends))
  line('  its reads meanwhile', String(reads))
  await log.close()
} finally {
  rmSync(folder, { recursive: true })
}

/** 1,000 to a group: `c.0.0` to `c.999.999`. */
function name(index: number): string {
  const at = index % COUNT
  return `c.${Math.floor(at / 1000)}.${at % 1000}`
}

async function fill(log: SqliteLog): Promise<void> {
  for (let first = 0; first < COUNT; first += BATCH) {
    const size = Math.min(BATCH, COUNT - first)
    await log.append(
      Array.from({ length: size }, (_, index) => ({ channel: name(first + index), data: 'x'.repeat(200) })),
    )
  }
}

async function listAll(log: SqliteLog): Promise<number> {
  let count = 0
  for (let after = ''; ;) {
    const infos = await log.channels(all, after, 1_000)
    count += infos.length
    if (infos.length < 1_000) return count
    after = infos.at(-1)?.name ?? ''
  }
}

/** Of the channels that were filled, how many keep an event; looked at by samples. */
async function keptOf(log: SqliteLog): Promise<number> {
  const infos = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const at = Math.floor((index * COUNT) / 20)
      return log.channels(new ChannelSet([name(at)]), '', 1)
    }),
  )
  return infos.flat().reduce((sum, info) => sum + info.events, 0)
}

async function latencyOf(
  what: string,
  work: (turn: number) => Promise<unknown>,
  events?: number,
  turns = 200,
): Promise<void> {
  const latencies = new Latencies()
  for (let turn = 0; turn < turns; turn++) {
    const { ms: took, result } = await timed(() => work(turn))
    if (events !== undefined && typeof result === 'object' && result !== null && 'events' in result) {
      check((result.events as unknown[]).length >= Math.min(events, 1), `${what} found nothing`)
    }
    latencies.add(took)
  }
  line(what, String(latencies))
}

function page(events: number): { events: number; bytes: number } {
  return { events, bytes: 1024 * 1024 }
}

function line(what: string, value: string): void {
  console.log(`${what.padEnd(58)} ${value}`)
}
