/** Channels by name, in the order of names, and by pattern. */
import { matchesPattern } from '@downlink/wire'
import type { ChannelSet } from './channel-set.ts'

/** So many fresh names are rather looked through one by one than sorted in. */
const FEW = 512

export class ChannelIndex<C extends { readonly name: string }> {
  readonly #channels = new Map<string, C>()
  /** In order. */
  #sorted: string[] = []
  /** Came since, and are not sorted in yet: a name is either there or here. */
  #fresh: string[] = []
  /** Names in either that were removed. */
  readonly #stale = new Set<string>()

  get size(): number {
    return this.#channels.size
  }

  get(name: string): C | undefined {
    return this.#channels.get(name)
  }

  /** The name must not be here yet. */
  add(channel: C): void {
    this.#channels.set(channel.name, channel)
    if (!this.#stale.delete(channel.name)) this.#fresh.push(channel.name)
  }

  remove(name: string): void {
    if (!this.#channels.delete(name)) return
    this.#stale.add(name)
    if (this.#stale.size > this.#channels.size + FEW) this.#sortIn()
  }

  /** How many names could match one of the patterns, judged by what they begin with. */
  candidates(patterns: readonly string[]): number {
    this.#sortInMany()
    let count = 0
    for (const pattern of patterns) {
      const [begin, end] = this.#range(prefixOf(pattern))
      count += end - begin + this.#fresh.length
    }
    return count
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
    this.#sortIn()
    const names = set.patterns.length === 0 ? set.names : this.#sorted
    for (let at = lowerBound(names, (name) => name > after); at < names.length; at++) {
      const channel = this.#channels.get(names[at] as string)
      if (channel && set.has(channel.name)) yield channel
    }
  }

  *#matching(pattern: string): Generator<C, void, undefined> {
    this.#sortInMany()
    const names = this.#sorted
    const fresh = this.#fresh
    const [begin, end] = this.#range(prefixOf(pattern))
    for (let at = begin; at < end; at++) {
      const channel = this.#find(pattern, names[at] as string)
      if (channel) yield channel
    }
    for (const name of fresh) {
      const channel = this.#find(pattern, name)
      if (channel) yield channel
    }
  }

  #find(pattern: string, name: string): C | undefined {
    return matchesPattern(pattern, name) ? this.#channels.get(name) : undefined
  }

  /** Where the sorted names with this prefix are. */
  #range(prefix: string): readonly [begin: number, end: number] {
    const begin = lowerBound(this.#sorted, (name) => name >= prefix)
    const end = lowerBound(this.#sorted, (name) => name > prefix && !name.startsWith(prefix))
    return [begin, end]
  }

  /** Sorting in costs as much as there are names, so that not every new channel should make the next read pay for it. */
  #sortInMany(): void {
    if (this.#fresh.length > FEW) this.#sortIn()
  }

  /** Makes new arrays, so that no iteration under way is disturbed. */
  #sortIn(): void {
    if (this.#fresh.length === 0 && this.#stale.size === 0) return
    const fresh = this.#fresh.filter((name) => this.#channels.has(name)).sort()
    const all: string[] = []
    let at = 0
    for (const name of this.#sorted) {
      if (this.#stale.has(name)) continue
      while (at < fresh.length && (fresh[at] as string) < name) all.push(fresh[at++] as string)
      all.push(name)
    }
    while (at < fresh.length) all.push(fresh[at++] as string)
    this.#sorted = all
    this.#fresh = []
    this.#stale.clear()
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
