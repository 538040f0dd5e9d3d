/** Notes what a source tells, in order. */

export interface Told {
  readonly event: Event
  readonly type: string
  /** Of the source while the event was dispatched. */
  readonly state: number
}

export class Watch {
  readonly source: EventSource
  readonly told: Told[] = []
  #waiting = new Set<() => void>()

  constructor(source: EventSource, types: readonly string[]) {
    this.source = source
    for (const type of new Set(['open', 'message', 'error', ...types])) {
      source.addEventListener(type, (event) => {
        this.told.push({ event, type: event.type, state: source.readyState })
        for (const look of this.#waiting) look()
      })
    }
  }

  /** `open 1`, `error 0`, `message text`, `type text`. */
  get notes(): readonly string[] {
    return this.told.map(({ event, type, state }) => `${type} ${isMessage(event) ? event.data : state}`)
  }

  get messages(): readonly MessageEvent<string>[] {
    return this.told.map(({ event }) => event).filter(isMessage)
  }

  get data(): readonly string[] {
    return this.messages.map(({ data }) => data)
  }

  /** Type, data and last event ID of each message. */
  get whole(): readonly (readonly [string, string, string])[] {
    return this.messages.map(({ type, data, lastEventId }) => [type, data, lastEventId] as const)
  }

  /** Resolves with the nth event (from 1) of a type; `error` and `open` are those that are no messages. */
  async nth(type: string, count = 1): Promise<Event> {
    const plain = type === 'open' || type === 'error'
    const find = (): Event | undefined =>
      this.told.filter((one) => one.type === type && (!plain || !isMessage(one.event)))[count - 1]?.event
    return new Promise((resolve) => {
      const look = (): void => {
        const event = find()
        if (!event) return
        this.#waiting.delete(look)
        resolve(event)
      }
      this.#waiting.add(look)
      look()
    })
  }
}

/** Lets what has been queued as microtasks run, and what that queues, a number of times. */
export async function microtasks(rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) await Promise.resolve()
}

export function isMessage(event: Event): event is MessageEvent<string> {
  return event instanceof MessageEvent
}
