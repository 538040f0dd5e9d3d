/** `downlink log export`: events and ends as JSON, one a line. */
import { resolve } from 'node:path'
import { parseCursor } from '@downlink/wire'
import { ChannelSet } from '../log/channel-set.ts'
import type { Exported } from '../log/sqlite/export.ts'
import type { LogIo } from './log.ts'
import { seldom } from './log-care.ts'
import { withEngine } from './log-engine.ts'
import { written } from './written.ts'

/** @throws {Failure} */
export function exportEvents(
  path: string,
  channels: readonly string[],
  after: string | undefined,
  { stdout, tell }: LogIo,
): Promise<number> {
  const progress = seldom(tell)
  const cursor = after === undefined ? undefined : parseCursor(after)
  // Each write tells its own error; this one is for what is told besides.
  stdout.on('error', () => {})
  return withEngine(async ({ exportLog }) => {
    let count = 0
    for (const page of exportLog(resolve(path), new ChannelSet(channels), cursor)) {
      if (page.length > 0 && !(await written(stdout, page.map(lineOf).join('')))) return 0
      count += page.length
      progress(`${count.toLocaleString('en')} lines so far`)
    }
    return 0
  })
}

function lineOf(item: Exported): string {
  const { id, channel } = item
  const line =
    item.kind === 'end'
      ? { id, channel, end: true }
      : {
          id,
          channel,
          type: item.type ?? 'message',
          data: item.data,
          time: new Date(item.time).toISOString(),
        }
  return `${JSON.stringify(line)}\n`
}
