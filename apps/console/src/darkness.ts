/** Whether the page is dark just now: what is drawn in pixels has to be drawn again when that changes. */
import { Changing } from './store.ts'

class Darkness extends Changing {
  readonly #query = matchMedia('(prefers-color-scheme: dark)')

  constructor() {
    super()
    this.#query.addEventListener('change', () => this.changed())
  }

  get dark(): boolean {
    return this.#query.matches
  }
}

export const darkness = new Darkness()
