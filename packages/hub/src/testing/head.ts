/** The heads of HTTP/1.1 messages: read, asked, changed and written again. Names, their case and their order stay. */

export type Field = readonly [name: string, value: string]

export interface Head {
  /** `GET / HTTP/1.1`, or `HTTP/1.1 200 OK`. */
  readonly line: string
  readonly fields: readonly Field[]
}

export interface RequestLine {
  readonly method: string
  /** As it was asked for, with its query: `/channels/orders?last=1`. */
  readonly target: string
}

/** `more` bytes are needed, or it never becomes a head. */
export type HeadRead = { readonly head: Head; readonly rest: Buffer } | 'more' | 'too-large' | 'bad'

const END = Buffer.from('\r\n\r\n')
const REQUEST_LINE = /^([^\s]+) ([^\s]+) HTTP\/1\.[01]$/
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: .*)?$/
/** RFC 9110 5.6.2. It leaves no room for a line folded into the one before, which nobody may send any more. */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/

/** @param limit bytes of a head at most, its empty line included */
export function readHead(bytes: Buffer, kind: 'request' | 'response', limit: number): HeadRead {
  const start = kind === 'request' ? afterEmptyLines(bytes) : 0
  const end = bytes.indexOf(END, start)
  if (end < 0) return bytes.length - start >= limit ? 'too-large' : 'more'
  if (end + END.length - start > limit) return 'too-large'
  const [line = '', ...lines] = bytes.toString('latin1', start, end).split('\r\n')
  if (!(kind === 'request' ? REQUEST_LINE : STATUS_LINE).test(line)) return 'bad'
  const fields: Field[] = []
  for (const text of lines) {
    const [, name, value] = FIELD.exec(text) ?? []
    if (name === undefined || value === undefined) return 'bad'
    fields.push([name, value])
  }
  return { head: { line, fields }, rest: bytes.subarray(end + END.length) }
}

/** RFC 9112 2.2: empty lines before a request are to be overlooked. */
function afterEmptyLines(bytes: Buffer): number {
  let start = 0
  while (bytes[start] === 13 && bytes[start + 1] === 10) start += 2
  return start
}

export function writeHead({ line, fields }: Head): Buffer {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${line}\r\n${lines.join('')}\r\n`, 'latin1')
}

export function requestLineOf({ line }: Head): RequestLine {
  const [, method = '', target = ''] = REQUEST_LINE.exec(line) ?? []
  return { method, target }
}

export function statusOf({ line }: Head): number {
  return Number(STATUS_LINE.exec(line)?.[1])
}

/** All values of a field, joined by commas as RFC 9110 5.3 does it; undefined when it is not there. */
export function valueOf({ fields }: Head, name: string): string | undefined {
  const values = fields.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** Whether one of the comma-separated words of a field is this one. */
export function hasWord(head: Head, name: string, word: string): boolean {
  const words = valueOf(head, name)?.toLowerCase().split(',') ?? []
  return words.some((other) => other.trim() === word)
}

/** @param names in lower case */
export function without(head: Head, names: readonly string[]): Head {
  return { line: head.line, fields: head.fields.filter(([name]) => !names.includes(name.toLowerCase())) }
}

/** The field takes the place of those of its name, or comes last. */
export function withField(head: Head, name: string, value: string): Head {
  const lower = name.toLowerCase()
  const at = head.fields.findIndex(([other]) => other.toLowerCase() === lower)
  const others = without(head, [lower])
  if (at < 0) return { line: head.line, fields: [...others.fields, [name, value]] }
  return { line: head.line, fields: others.fields.toSpliced(at, 0, [name, value]) }
}

/** Whether the connection ends after this message, as far as its head says so. */
export function closesAfter(head: Head): boolean {
  if (hasWord(head, 'connection', 'close')) return true
  return /HTTP\/1\.0/.test(head.line) && !hasWord(head, 'connection', 'keep-alive')
}
