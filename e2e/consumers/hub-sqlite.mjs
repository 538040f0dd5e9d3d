// A stranger's Node program that embeds the packed hub with its log on disk, stops it, and opens it again.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHub } from '@downlink/hub'
import { SqliteLog } from '@downlink/hub/sqlite'

const folder = mkdtempSync(join(tmpdir(), 'downlink-packed-log-'))
const path = join(folder, 'log.db')
const before = createHub({ log: await SqliteLog.open({ path }) })
const { ids } = await before.publish('orders', ['zero', 'one', 'two'])
await before.close()

const log = await SqliteLog.open({ path })
const hub = createHub({ log })
const { events } = await hub.read('orders', { after: ids[0] })
await hub.close()
rmSync(folder, { recursive: true })
console.log(JSON.stringify({ data: events.map((event) => event.data), broke: log.broke ?? null }))
