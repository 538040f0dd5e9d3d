/** A header that Node gives the first of only. Pure. */

/**
 * All values, joined by `, `, as of any other header: whoever sends two `Authorization` is told so, and is not taken for the first
 * where something in between has looked at the second.
 *
 * @param fields Names and values, alternating, as they came
 * @param name In lower case
 */
export function everyValue(fields: readonly string[], name: string): string | undefined {
  let all: string | undefined
  for (let index = 0; index < fields.length; index += 2) {
    const field = fields[index] as string
    if (field.length !== name.length || field.toLowerCase() !== name) continue
    const value = fields[index + 1] as string
    all = all === undefined ? value : `${all}, ${value}`
  }
  return all
}
