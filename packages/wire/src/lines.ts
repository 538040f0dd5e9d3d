/** The lines of a stream as bytes: each ends with CR, LF or CRLF. Only for what must be counted in bytes. */

export const LF = 10
export const CR = 13

/** Where the line end of the first blank line is; -1 when there is none. `from` is where a line begins. */
export function findBlankLine(bytes: Uint8Array, from: number): number {
  let begin = from
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] !== LF && bytes[at] !== CR) continue
    if (at === begin) return at
    if (bytes[at] === CR && bytes[at + 1] === LF) at++
    begin = at + 1
  }
  return -1
}

/** How many bytes the last `lines` of these whole lines have. There are more lines than that. */
export function sizeOfLines(bytes: Uint8Array, lines: number): number {
  let at = bytes.length
  for (let left = lines; left > 0; left--) {
    at -= bytes[at - 1] === LF && bytes[at - 2] === CR ? 2 : 1
    while (bytes[at - 1] !== LF && bytes[at - 1] !== CR) at--
  }
  return bytes.length - at
}
