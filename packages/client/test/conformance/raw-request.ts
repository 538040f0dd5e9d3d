/** The head of a request, from bytes as Latin-1. */

export interface RequestHead {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly head: string
  /** What came after the head. */
  readonly rest: string
}

/** Undefined while the head is not whole. */
export function parseHead(received: string): RequestHead | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = received.slice(0, end)
  const [line = '', ...fields] = head.split('\r\n')
  const [method = '', target = ''] = line.split(' ')
  const headers: Record<string, string> = {}
  for (const field of fields) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).toLowerCase()
    const value = field.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  return { method, target, headers, head, rest: received.slice(end + 4) }
}
