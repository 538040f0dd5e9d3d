/**
 * WHATWG HTML 9.2.6 written down as it stands, for whole streams only: slow, and hard to get wrong. The text of the standard
 * is in the comments. `channel` and `time` are treated as the standard would if they were its own.
 */
import type { StreamEvent } from '../src/index.ts'

/** What a parser reports, in order. */
export type Report =
  | { readonly event: StreamEvent }
  | { readonly comment: string }
  | { readonly retry: number }
  | { readonly id: string }

export function referenceParse(
  bytes: Uint8Array,
  initialId = '',
): { reports: Report[]; lastEventId: string } {
  const reports: Report[] = []
  // "Streams must be decoded using the UTF-8 decode algorithm", which takes away one byte order mark.
  const text = new TextDecoder('utf-8').decode(bytes)
  // "Lines must be separated by either a CRLF pair, a single LF, or a single CR". What follows the last one is not a line yet.
  const lines = text.split(/\r\n|\n|\r/).slice(0, -1)

  let data = ''
  let eventType = ''
  let idBuffer = initialId
  let idGiven = false
  let lastEventId = initialId
  let channel: string | undefined
  let time: string | undefined

  for (const line of lines) {
    if (line === '') dispatch()
    else if (line.startsWith(':')) reports.push({ comment: line.slice(1).replace(/^ /, '') })
    else if (line.includes(':')) {
      // "Collect the characters on the line before the first U+003A COLON … after it … If value starts with a space, remove it."
      const colon = line.indexOf(':')
      processField(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''))
    } else processField(line, '')
  }
  return { reports, lastEventId }

  function processField(field: string, value: string): void {
    switch (field) {
      case 'event':
        eventType = value
        break
      case 'data':
        data += `${value}\n`
        break
      case 'id':
        if (value.includes('\0')) break
        idBuffer = value
        idGiven = true
        break
      case 'retry':
        if (/^[0-9]+$/.test(value)) reports.push({ retry: Math.min(Number(value), Number.MAX_SAFE_INTEGER) })
        break
      case 'channel':
        channel = value
        break
      case 'time':
        time = value
        break
    }
  }

  function dispatch(): void {
    // 1. "Set the last event ID string of the event source to the value of the last event ID buffer."
    lastEventId = idBuffer
    if (idGiven) reports.push({ id: lastEventId })
    // 2. "If the data buffer is an empty string, set the data buffer and the event type buffer to the empty string and return."
    if (data !== '') {
      // 3. "If the data buffer's last character is a U+000A LINE FEED, then remove the last character."
      reports.push({
        event: {
          type: eventType === '' ? 'message' : eventType,
          data: data.slice(0, -1),
          lastEventId,
          ...(channel !== undefined && { channel }),
          ...(time !== undefined && { time }),
        },
      })
    }
    data = ''
    eventType = ''
    idGiven = false
    channel = undefined
    time = undefined
  }
}
