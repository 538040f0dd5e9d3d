/** Publishers and readers who go through the deaths of their hub, as real ones would: by trying again. */
import assert from 'node:assert/strict'
import { ask, openStream } from '../wire-contract/client.ts'

/** Where the hub is; changes with each of its lives. */
export class Whereabouts {
  #found = Promise.withResolvers<string>()
  #over = false

  get url(): Promise<string> {
    return this.#found.promise
  }

  get over(): boolean {
    return this.#over
  }

  lost(): void {
    this.#found = Promise.withResolvers()
  }

  found(url: string): void {
    this.#found.resolve(url)
  }

  /** Nobody tries again. */
  end(): void {
    this.#over = true
  }
}

/** What was acknowledged: data, which is unique, and its id. */
export class Acknowledged {
  readonly ids = new Map<string, string>()
  #wanted: { count: number; resolve: () => void } | undefined

  add(data: string, id: string): void {
    this.ids.set(data, id)
    if (this.#wanted && this.ids.size >= this.#wanted.count) this.#wanted.resolve()
  }

  /** Resolves when so many have been acknowledged in all. */
  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wanted = { count, resolve }
      if (this.ids.size >= count) resolve()
    })
  }
}

const FILLER = 'x'.repeat(600)

/** Publishes one event after the other, each until it is acknowledged. */
export async function publish(
  name: number,
  channels: readonly string[],
  where: Whereabouts,
  acknowledged: Acknowledged,
): Promise<void> {
  for (let count = 0; !where.over; count++) {
    const data = `${name}:${count}:${FILLER}`
    const channel = channels[(name + count) % channels.length] as string
    for (let done = false; !done;) {
      const url = await where.url
      try {
        const got = await ask(`${url}/channels/${channel}`, {
          method: 'POST',
          body: data,
          headers: { 'idempotency-key': `${name}:${count}` },
        })
        assert.equal(got.status, 200, got.text)
        const { ids } = JSON.parse(got.text) as { ids: [string] }
        acknowledged.add(data, ids[0])
        done = true
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        // Unknown what became of it: the same again, under the same key, and at the next hub when this one is gone.
      }
    }
  }
}

export interface Seen {
  readonly id: string
  readonly data: string
}

/** A bare `EventSource`, in the end: reads, and after a cut goes on from the last id it saw. */
export class Follower {
  readonly channels: string
  readonly seen: Seen[] = []
  readonly #where: Whereabouts
  #last: string

  constructor(channels: string, where: Whereabouts, last: string) {
    this.channels = channels
    this.#where = where
    this.#last = last
  }

  /** Until `until` is seen. */
  async follow(until: (seen: Seen) => boolean): Promise<void> {
    for (;;) {
      const url = await this.#where.url
      try {
        using stream = await openStream(`${url}/channels/${this.channels}`, { 'last-event-id': this.#last })
        assert.equal(stream.status, 200)
        for (let event = await stream.next(); event; event = await stream.next()) {
          this.#last = event.lastEventId
          assert.notEqual(event.type, 'downlink:gap', event.data)
          if (event.type !== 'message') continue
          const seen = { id: event.lastEventId, data: event.data }
          this.seen.push(seen)
          if (until(seen)) return
        }
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
      }
    }
  }
}
