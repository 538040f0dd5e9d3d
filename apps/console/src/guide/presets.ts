/** Streams to begin with, in the box where one types a stream. */
import type { Typed } from '../model/stream-lines.ts'

const plain = (text: string): Typed => ({ text, lineEnd: 'LF', mark: false })

export const PRESETS = {
  fields: plain(`retry: 3000

: a comment
id: 7
event: price
data: {"tea": 17.5}

data: first line
data: second line

`),
  ids: plain(`id: 7
data: this event is number 7

data: no id of its own: still 7

id
data: taken back

`),
  ignored: plain(`foo: nobody knows this field
Data: names are written small
 data: and begin at once
retry: 3 s
id: a«NUL»b

event: no data, so nobody gets it

data
`),
  half: plain(`data: whole

id: 8
data: the connection was lost here`),
  ends: {
    text: `data: CR LF

data: CR alone«CR»«CR»data: mixed
data:  one space of two

`,
    lineEnd: 'CRLF',
    mark: true,
  },
  hub: plain(`retry: 2817
id: q3W9xLb2-0
event: downlink:open
data: {"heartbeat":15000}

id: q3W9xLb2-1
event: greeting
channel: format
time: 2026-11-22T10:00:00.000Z
data: hello

:

`),
} satisfies Record<string, Typed>

export type PresetName = keyof typeof PRESETS
