/** Which of the events of a channel are shown. Pure. */
import type { Feed, Line } from './feed.ts'

/** What is no event is always shown. */
export class Filter {
  readonly type: string
  readonly text: string
  readonly #wanted: RegExp
  readonly #known = new WeakMap<Line, boolean>()

  /** @param type Empty: all. @param text Part of the data or the channel, whatever its case. */
  constructor(type: string, text: string) {
    this.type = type
    this.text = text
    this.#wanted = new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`), 'i')
  }

  get isOpen(): boolean {
    return this.type === '' && this.text === ''
  }

  /** Each line is looked through once. */
  has(line: Line): boolean {
    if (line.kind !== 'event' || this.isOpen) return true
    const known = this.#known.get(line)
    if (known !== undefined) return known
    const found =
      (this.type === '' || line.type === this.type) &&
      (this.#wanted.test(line.data) || this.#wanted.test(line.channel))
    this.#known.set(line, found)
    return found
  }

  /** The window as it is shown, with where history begins when that is known. */
  of(feed: Feed): readonly Line[] {
    const found = this.isOpen ? feed.lines : feed.lines.filter((line) => this.has(line))
    return feed.begin ? [feed.begin, ...found] : found
  }
}
