/** Values that change, and components that show them: at most one rendering a frame, however often they change. */
import { useEffect, useReducer } from 'preact/hooks'

export class Changing {
  readonly #listeners = new Set<() => void>()
  #scheduled = false

  changed(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    requestAnimationFrame(() => {
      this.#scheduled = false
      for (const listener of this.#listeners) listener()
    })
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Renders again when it has changed. */
export function useChanging(...all: readonly Changing[]): void {
  const [, again] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    const stops = all.map((one) => one.listen(() => again(undefined)))
    return () => {
      for (const stop of stops) stop()
    }
  }, all)
}
