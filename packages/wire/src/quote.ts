/** More of a rejected text than this says nothing new, and lets whoever sent it fill a log. */
const QUOTED = 40

/**
 * A rejected value for an error message: printable ASCII in double quotes, everything else escaped, at most 40
 * characters of it. Strings come from strangers: raw line ends or terminal codes would forge lines of a log.
 */
export function quote(value: unknown): string {
  if (typeof value !== 'string')
    return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  // oxlint-disable-next-line no-control-regex
  const escaped = value.slice(0, QUOTED).replace(/[^ -~]|["\\]/g, (unit) => {
    if (unit === '"' || unit === '\\') return `\\${unit}`
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return value.length > QUOTED ? `"${escaped}…" (${value.length} characters)` : `"${escaped}"`
}
