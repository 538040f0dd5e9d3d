/** What a read asks for: some channels by name, some by pattern. Immutable; equal sets have equal keys. */
import { checkChannel, checkPattern, isPattern, matchesPattern } from '@downlink/wire'

export class ChannelSet {
  /** Sorted, each once. */
  readonly names: readonly string[]
  /** Sorted, each once. */
  readonly patterns: readonly string[]
  /** Two sets are the same when their keys are. */
  readonly key: string
  readonly #names: ReadonlySet<string>

  /** @throws {WireError} `invalid-channel` or `invalid-pattern`, for the first that is neither a channel name nor a pattern. */
  constructor(parts: Iterable<string>) {
    const names = new Set<string>()
    const patterns = new Set<string>()
    for (const part of parts) {
      if (isPattern(part)) patterns.add(checkPattern(part))
      else names.add(checkChannel(part))
    }
    this.#names = names
    this.names = [...names].sort()
    this.patterns = [...patterns].sort()
    this.key = this.parts.join(',')
  }

  /** Names, then patterns. */
  get parts(): readonly string[] {
    return [...this.names, ...this.patterns]
  }

  /** Which of the parts a channel of the set is in: its name, or the first pattern that it matches. */
  partOf(channel: string): string | undefined {
    if (this.#names.has(channel)) return channel
    return this.patterns.find((pattern) => matchesPattern(pattern, channel))
  }

  /** Whether the set names this channel itself, not only by a pattern. */
  hasName(channel: string): boolean {
    return this.#names.has(channel)
  }

  /** Whether the channel is in the set, by name or by pattern. */
  has(channel: string): boolean {
    return this.#names.has(channel) || this.patterns.some((pattern) => matchesPattern(pattern, channel))
  }
}
