/** Small changes to what was right, or to what once was wrong in an interesting way. */
import type { Random } from './random.ts'

/** Characters that mean something somewhere: to a line, a header, a URL, JSON, a number, or to `toLowerCase` and `trim`. */
export const NASTY: readonly string[] = [
  '\0 \t \n \r \r\n \v \f \x1b \x7f \x85 \xa0 \u00ad \u2028 \u2029 \ufeff \ufffd \ud800 \udc00 é ß İ ſ K ٣ 😀'.split(
    ' ',
  ),
  [' ', '  ', '"', "'", '\\', '\\u0000', '`', '<', '>', '(', ')', '[', ']', '{', '}', '|', '^'],
  [
    '/',
    '?',
    '#',
    '@',
    '%',
    '%2e',
    '%00',
    '%',
    '&',
    '=',
    '+',
    ',',
    ',,',
    ';',
    ':',
    '.',
    '..',
    '-',
    '_',
    '~',
    '*',
    '**',
    '$',
    '!',
  ],
  [
    '0',
    '00',
    '-0',
    '1',
    '9',
    '1e3',
    '0x1',
    '.5',
    'NaN',
    'Infinity',
    '9007199254740991',
    '9007199254740992',
    '9'.repeat(30),
  ],
  ['__proto__', 'constructor', 'prototype', 'toString', 'null', 'true', 'undefined'],
].flat()

/** One to four changes. `words` are what belongs here, and are put in besides what is nasty everywhere. */
export function mutateText(random: Random, text: string, words: readonly string[] = []): string {
  let changed = text
  for (let left = 1 + random.below(4); left > 0; left--) changed = changeText(random, changed, words)
  return changed
}

function changeText(random: Random, text: string, words: readonly string[]): string {
  const at = random.place(text.length)
  const end = Math.min(text.length, at + 1 + (random.oneIn(3) ? random.below(20) : 0))
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + text.slice(end)
    case 1:
      return text.slice(0, end) + text.slice(at)
    case 2:
      return text.slice(0, at) + random.pick(NASTY) + text.slice(at)
    case 3:
      return text.slice(0, at) + random.pick(NASTY) + text.slice(end)
    case 4:
      return words.length === 0 ? text : text.slice(0, at) + random.pick(words) + text.slice(at)
    case 5:
      return (
        text.slice(0, at) +
        String.fromCharCode(random.below(random.oneIn(4) ? 0x10000 : 0x80)) +
        text.slice(end)
      )
    default: {
      if (!random.oneIn(20)) return text.slice(0, at) + swapCase(text.slice(at, end)) + text.slice(end)
      const piece = text.slice(at, end) || random.pick(NASTY)
      return text.slice(0, at) + piece.repeat(1 + random.below(300)) + text.slice(at)
    }
  }
}

function swapCase(text: string): string {
  const upper = text.toUpperCase()
  return upper === text ? text.toLowerCase() : upper
}

/** What can stand in a header by the time that Node or a runtime hands it out: Latin-1 without control characters but tab. */
export function headerSafe(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what Node refuses in a header
  return text.replace(/[\0-\x08\x0a-\x1f\x7f]/g, '').replace(/[^\0-\xff]/g, 'ÿ')
}

/** One to four changes of bytes. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let changed = bytes
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.place(changed.length)
    const end = Math.min(changed.length, at + 1 + random.below(8))
    const kind = random.below(4)
    if (kind === 0) changed = joined(changed.subarray(0, at), changed.subarray(end))
    else if (kind === 1) changed = joined(changed.subarray(0, end), changed.subarray(at))
    else if (kind === 2) changed = joined(changed.subarray(0, at), randomByte(random), changed.subarray(at))
    else
      changed = joined(
        changed.subarray(0, at),
        randomByte(random),
        changed.subarray(Math.min(changed.length, at + 1)),
      )
  }
  return changed
}

const ENDS = [10, 13, 58, 32, 0, 0xef, 0xbb, 0xbf, 0xc3, 0xe2, 0xf0, 0x80, 0xff]

function randomByte(random: Random): Uint8Array {
  return Uint8Array.of(random.oneIn(2) ? random.pick(ENDS) : random.below(256))
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
