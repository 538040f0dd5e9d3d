/** The lines of a stream as bytes: each ends with CR, LF or CRLF. Only for what must be counted in bytes. */

export const LF = 10
export const CR = 13

export function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR
}

/** Searched from the end: most chunks end with a line. */
export function hasLineEnd(bytes: Uint8Array): boolean {
  let at = bytes.length
  while (at > 0 && !isLineEnd(bytes[at - 1])) at--
  return at > 0
}

/**
 * Where the line end of the first blank line is; -1 when there is none.
 *
 * @param inLine whether `from` is inside a line, and not where one begins
 */
export function findBlankLine(bytes: Uint8Array, from: number, inLine: boolean): number {
  let begin = inLine ? -1 : from
  for (let at = from; at < bytes.length; at++) {
    if (!isLineEnd(bytes[at])) continue
    if (at === begin) return at
    if (bytes[at] === CR && bytes[at + 1] === LF) at++
    begin = at + 1
  }
  return -1
}

/** How many bytes the last `lines` lines have, and the unfinished one after them. A line end comes before them. */
export function sizeOfTail(bytes: Uint8Array, lines: number): number {
  let at = bytes.length
  while (!isLineEnd(bytes[at - 1])) at--
  for (let left = lines; left > 0; left--) {
    at -= bytes[at - 1] === LF && bytes[at - 2] === CR ? 2 : 1
    while (!isLineEnd(bytes[at - 1])) at--
  }
  return bytes.length - at
}
