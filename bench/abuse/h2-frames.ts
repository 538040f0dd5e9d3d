/** As much of HTTP/2 (RFC 9113) and HPACK (RFC 7541) as it takes to open streams and to reset them. Pure. */

const [HEADERS, RST_STREAM, SETTINGS] = [1, 3, 4]
const END_STREAM = 1
const END_HEADERS = 4
const CANCEL = 8

/** What a client says first. */
export const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(SETTINGS, 0, 0, Buffer.alloc(0)),
])

/** A `GET` for an event stream. Nothing of it goes into the peer's table, so it is the same each time. */
export function requestBlock(path: string, authority: string): Buffer {
  return Buffer.concat([
    // Indexed: `:method: GET`, `:scheme: http`.
    Buffer.of(0x82, 0x86),
    // Literals without indexing, with the names 4 (`:path`), 1 (`:authority`) and 19 (`accept`) of the static table.
    Buffer.of(0x04),
    text(path),
    Buffer.of(0x01),
    text(authority),
    Buffer.of(0x0f, 19 - 15),
    text('text/event-stream'),
  ])
}

/** Streams that are opened, and what resets them. @param first The number of the first one, odd. */
export function resetStreams(first: number, count: number, block: Buffer): readonly [Buffer, Buffer] {
  const code = Buffer.alloc(4)
  code.writeUInt32BE(CANCEL)
  const ids = Array.from({ length: count }, (_, index) => first + index * 2)
  return [
    Buffer.concat(ids.map((id) => frame(HEADERS, END_STREAM | END_HEADERS, id, block))),
    Buffer.concat(ids.map((id) => frame(RST_STREAM, 0, id, code))),
  ]
}

/** Shorter than 127 bytes. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}
