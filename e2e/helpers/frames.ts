/** HTTP/2 as bytes (RFC 9113), so that requests can be sent that no client library would send. */

const TYPE = { data: 0, headers: 1, settings: 4 } as const
const END_STREAM = 1
const END_HEADERS = 4

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Literals without indexing and without Huffman (RFC 7541 6.2.2): what is said is what is read. At most 16,000 bytes each. */
function block(headers: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]))
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes])
  const rest = bytes.length - 127
  return Buffer.concat([Buffer.of(127, (rest & 127) | 128, rest >> 7), bytes])
}

/** A connection's first bytes, and one request on it: its fields in this order, and its body in one piece. */
export function h2Request(
  headers: readonly (readonly [name: string, value: string])[],
  body?: string,
): Buffer {
  const data = body === undefined ? [] : [frame(TYPE.data, END_STREAM, 1, Buffer.from(body, 'latin1'))]
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(TYPE.settings, 0, 0),
    frame(TYPE.headers, END_HEADERS | (body === undefined ? END_STREAM : 0), 1, block(headers)),
    ...data,
  ])
}
