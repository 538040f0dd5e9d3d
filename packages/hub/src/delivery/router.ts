/** Which topics a record goes to. Topics of names cost one look-up a record, topics with patterns one match each. */
import type { ChannelSet } from '../log/channel-set.ts'
import type { LogRecord } from '../log/log.ts'
import type { Topic } from './topic.ts'

export class Router {
  readonly #topics = new Map<string, Topic>()
  readonly #byName = new Map<string, Set<Topic>>()
  readonly #withPatterns = new Set<Topic>()

  topic(set: ChannelSet): Topic | undefined {
    return this.#topics.get(set.key)
  }

  add(topic: Topic): void {
    const { set } = topic
    this.#topics.set(set.key, topic)
    if (set.patterns.length > 0) {
      this.#withPatterns.add(topic)
      return
    }
    for (const name of set.names) {
      const topics = this.#byName.get(name)
      if (topics) topics.add(topic)
      else this.#byName.set(name, new Set([topic]))
    }
  }

  remove(topic: Topic): void {
    const { set } = topic
    this.#topics.delete(set.key)
    this.#withPatterns.delete(topic)
    for (const name of set.names) {
      const topics = this.#byName.get(name)
      topics?.delete(topic)
      if (topics?.size === 0) this.#byName.delete(name)
    }
  }

  /** Calls `visit` with each topic that the record belongs to. */
  route(record: LogRecord, visit: (topic: Topic) => void): void {
    this.#byName.get(record.channel)?.forEach(visit)
    for (const topic of this.#withPatterns) if (topic.set.has(record.channel)) visit(topic)
  }

  topics(): Iterable<Topic> {
    return this.#topics.values()
  }
}
