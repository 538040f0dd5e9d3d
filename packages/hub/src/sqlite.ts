/** The log on disk: `createHub({ log: await SqliteLog.open({ path: 'data/log.db' }) })`. Node only. */
export { DURABLE_RETENTION } from './log/retention.ts'
export { SqliteLog, type SqliteLogOptions } from './log/sqlite/sqlite-log.ts'
