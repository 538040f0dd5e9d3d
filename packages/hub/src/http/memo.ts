/** What was made of a text is remembered: clients ask the same again and again. Beyond the limit all is forgotten. */

/** Texts remembered. */
const LIMIT = 1_000
/** Longer ones, in UTF-16 units, are made anew each time. */
const LONGEST = 400

export class Memo<V> {
  readonly #values = new Map<string, V>()

  /** What `make` throws is thrown, and not remembered. */
  get(text: string, make: () => V): V {
    const known = this.#values.get(text)
    if (known !== undefined) return known
    const value = make()
    if (text.length > LONGEST) return value
    if (this.#values.size >= LIMIT) this.#values.clear()
    this.#values.set(text, value)
    return value
  }
}
