/** Texts of strangers in messages. Pure. */

/** Control characters and those that nobody sees: raw, they would forge a line of a log, or drive a terminal. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu

/** Without its unseen characters, which are written as `\u001b`, and no longer than this. */
export function seen(text: string, most: number): string {
  const kept = text.length > most ? `${text.slice(0, most)}…` : text
  return kept.replace(UNSEEN, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

/** As `seen`, in double quotes. */
export function quoted(text: string, most: number): string {
  return `"${seen(text.replace(/["\\]/g, '\\$&'), most)}"`
}
