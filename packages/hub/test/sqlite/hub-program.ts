/**
 * A hub on an SQLite log, in a process of its own, to be killed. It loads everything, and opens the log when it is told to by a line,
 * `SqliteLogOptions` as JSON: so a new one can be at hand when the old one dies. It answers with its port, or with what went wrong.
 */
import { createInterface } from 'node:readline'
import { createHub } from '../../src/hub.ts'
import { serveHub } from '../../src/http/server.ts'
import { LogError } from '../../src/log/log.ts'
import { SqliteLog, type SqliteLogOptions } from '../../src/log/sqlite/sqlite-log.ts'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function serve(options: SqliteLogOptions): Promise<object> {
  try {
    const log = await SqliteLog.open(options)
    const { port } = await serveHub(createHub({ log }), { host: '127.0.0.1' })
    return { port, broke: log.broke, epoch: log.state().epochs[0].name }
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return { code: error.code, message: error.message }
  }
}

const first = await lines.next()
if (!first.done) {
  const answer = await serve(JSON.parse(first.value) as SqliteLogOptions)
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
// Whoever started this one has gone.
if ((await lines.next()).done) process.exit()
