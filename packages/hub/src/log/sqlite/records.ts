/** What a transaction stored, as the tail tells it. Pure. */
import type { LogEvent, LogRecord } from '../log.ts'
import type { AppendRequest, AppendResult, GroupResult, WriteRequest } from './messages.ts'

export function recordsOf(requests: readonly WriteRequest[], group: GroupResult): LogRecord[] {
  return group.results.flatMap((result, index): LogRecord[] => {
    const request = requests[index] as WriteRequest
    if (result.kind === 'drop') {
      const known = result.position !== undefined && request.kind === 'drop'
      return known ? [{ kind: 'drop', channel: request.channel, position: result.position }] : []
    }
    if (result.kind === 'failed' || result.repeated || request.kind !== 'append') return []
    return appended(request, result, group.time)
  })
}

/** Each end behind the event whose position it shares, or behind all of them. */
function appended(
  request: AppendRequest,
  { first, previous, ends }: AppendResult,
  time: number,
): LogRecord[] {
  const endOf = ends.length === 0 ? undefined : new Map(ends.map((end) => [end.position, end]))
  const records: LogRecord[] = []
  for (const [index, channel] of request.channels.entries()) {
    const position = first + index
    const type = request.types[index]
    const data = request.data[index] as string
    const at = { kind: 'event', channel, position, previous: previous[index] as number, time } as const
    const event: LogEvent = type === undefined ? { ...at, data } : { ...at, type, data }
    records.push(event)
    const end = endOf?.get(position)
    if (end) records.push({ kind: 'end', ...end })
  }
  const behind = first + request.channels.length
  for (const end of ends) if (end.position >= behind) records.push({ kind: 'end', ...end })
  return records
}
