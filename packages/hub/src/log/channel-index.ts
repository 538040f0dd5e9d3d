/** Channels by name, in the order of names, and by pattern. */
import { matchesPattern } from '@downlink/wire'
import type { ChannelSet } from './channel-set.ts'

export class ChannelIndex<C extends { readonly name: string }> {
  readonly #channels = new Map<string, C>()
  /** In order; may still have names that were removed since. */
  #sorted: string[] = []
  /** Not sorted in yet. */
  #fresh: string[] = []

  get size(): number {
    return this.#channels.size
  }

  get(name: string): C | undefined {
    return this.#channels.get(name)
  }

  add(channel: C): void {
    this.#channels.set(channel.name, channel)
    this.#fresh.push(channel.name)
    // Names that come and go would gather here without end when nobody reads by pattern.
    if (this.#fresh.length > 2 * this.#channels.size + 64) this.#fold()
  }

  remove(name: string): void {
    this.#channels.delete(name)
  }

  /** How many names could match one of the patterns, judged by what they begin with. */
  candidates(patterns: readonly string[]): number {
    this.#fold()
    return patterns.reduce(
      (sum, pattern) => sum + this.#end(prefixOf(pattern)) - this.#begin(prefixOf(pattern)),
      0,
    )
  }

  /** The channels of the set that are here, each once, in no particular order. */
  *in(set: ChannelSet): Generator<C, void, undefined> {
    for (const name of set.names) {
      const channel = this.#channels.get(name)
      if (channel) yield channel
    }
    for (const [index, pattern] of set.patterns.entries()) {
      const earlier = set.patterns.slice(0, index)
      for (const channel of this.#matching(pattern)) {
        const told = set.hasName(channel.name) || earlier.some((other) => matchesPattern(other, channel.name))
        if (!told) yield channel
      }
    }
  }

  /** In the order of names, after `after`. */
  *inOrder(set: ChannelSet, after: string): Generator<C, void, undefined> {
    this.#fold()
    const names = set.patterns.length === 0 ? set.names : this.#sorted
    for (let at = lowerBound(names, (name) => name > after); at < names.length; at++) {
      const channel = this.#channels.get(names[at] as string)
      if (channel && set.has(channel.name)) yield channel
    }
  }

  *#matching(pattern: string): Generator<C, void, undefined> {
    this.#fold()
    const prefix = prefixOf(pattern)
    const names = this.#sorted
    for (let at = this.#begin(prefix), end = this.#end(prefix); at < end; at++) {
      const name = names[at] as string
      if (!matchesPattern(pattern, name)) continue
      const channel = this.#channels.get(name)
      if (channel) yield channel
    }
  }

  #begin(prefix: string): number {
    return lowerBound(this.#sorted, (name) => name >= prefix)
  }

  #end(prefix: string): number {
    return lowerBound(this.#sorted, (name) => name > prefix && !name.startsWith(prefix))
  }

  /**
   * Sorts the fresh names in. One merge costs as much as there are names, however few are fresh, but only the first read by
   * pattern after a channel came pays for it. Into a new array, so that no iteration under way is disturbed.
   */
  #fold(): void {
    if (this.#fresh.length === 0 && this.#sorted.length < 2 * this.#channels.size + 64) return
    const fresh = this.#fresh.sort()
    this.#fresh = []
    const all: string[] = []
    let at = 0
    const push = (name: string): void => {
      // A name may be here twice, when it was removed and came again.
      if (this.#channels.has(name) && all.at(-1) !== name) all.push(name)
    }
    for (const name of this.#sorted) {
      while (at < fresh.length && (fresh[at] as string) < name) push(fresh[at++] as string)
      push(name)
    }
    while (at < fresh.length) push(fresh[at++] as string)
    this.#sorted = all
  }
}

/** What every name that the pattern matches begins with. */
function prefixOf(pattern: string): string {
  return pattern.slice(0, pattern.indexOf('*'))
}

/** The index of the first name for which `reached` is true, as it then is for all after it. */
function lowerBound(names: readonly string[], reached: (name: string) => boolean): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (reached(names[middle] as string)) high = middle
    else low = middle + 1
  }
  return low
}
