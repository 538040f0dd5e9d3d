/** Pages as they cross from the thread that reads: in columns, for the reason that `packing.ts` gives. Pure. */
import type { LogEvent, LogPage } from '../log.ts'

export type PackedPage = Omit<LogPage, 'events'> & {
  /** The position, the previous position and the time of each event, one event after another. */
  readonly numbers: Float64Array
  /** Of the channels of the page. */
  readonly names: readonly string[]
  /** Of each event, which of the names; absent when there is but one. */
  readonly channels?: readonly number[]
  /** Absent when no event has one. */
  readonly types?: readonly (string | undefined)[]
  readonly data: readonly string[]
}

export function packPage({ events, ...page }: LogPage): PackedPage {
  const numbers = new Float64Array(3 * events.length)
  const names = new Map<string, number>()
  const channels: number[] = []
  const data: string[] = []
  let typed = false
  for (const [index, event] of events.entries()) {
    numbers[3 * index] = event.position
    numbers[3 * index + 1] = event.previous
    numbers[3 * index + 2] = event.time
    let channel = names.get(event.channel)
    if (channel === undefined) names.set(event.channel, (channel = names.size))
    channels.push(channel)
    data.push(event.data)
    typed ||= event.type !== undefined
  }
  return {
    ...page,
    numbers,
    names: [...names.keys()],
    ...(names.size > 1 && { channels }),
    ...(typed && { types: events.map(({ type }) => type) }),
    data,
  }
}

export function unpackPage({ numbers, names, channels, types, data, ...page }: PackedPage): LogPage {
  const events = data.map((text, index): LogEvent => {
    const type = types?.[index]
    const at = {
      kind: 'event',
      channel: names[channels?.[index] ?? 0] as string,
      position: numbers[3 * index] as number,
      previous: numbers[3 * index + 1] as number,
      time: numbers[3 * index + 2] as number,
    } as const
    return type === undefined ? { ...at, data: text } : { ...at, type, data: text }
  })
  return { ...page, events }
}
