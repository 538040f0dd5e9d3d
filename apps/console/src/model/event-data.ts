/** What the data of an event looks like. Pure. */
import type { EventLine } from './feed.ts'

/** JSON with line breaks, when it is JSON; else as it is. */
export function pretty(data: string): string {
  if (!isJson(data)) return data
  return JSON.stringify(JSON.parse(data), undefined, 2)
}

/** Whether it is an object or a list: what has an inside to show. */
export function isJson(data: string): boolean {
  if (!/^\s*[[{]/.test(data)) return false
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}

const SIZES = new WeakMap<EventLine, number>()
const utf8 = new TextEncoder()

/** Bytes of its data in UTF-8. */
export function bytesOf(line: EventLine): number {
  let size = SIZES.get(line)
  if (size === undefined) SIZES.set(line, (size = utf8.encode(line.data).length))
  return size
}

/** The beginning of its data in one line. */
export function preview(data: string): string {
  return data.slice(0, 400).replace(/\s+/g, ' ').trim()
}
