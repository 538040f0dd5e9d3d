/** The three ways of reading one channel, side by side, and each as a page would do it. */
import { headers, urlOf } from '../hub.ts'
import { eventData, Tally, type Way } from '../model/ways.ts'
import { Changing } from '../store.ts'
import { endTurn, eraseLater, freshPrefix, problemOf, takeTurn, tickets } from './alive.ts'

const WAIT_SECONDS = 30
/** What the hub refuses is not asked again at once. */
const AFTER_FAILURE = 2000

export class Ways extends Changing {
  phase: 'idle' | 'running' | 'over' = 'idle'
  everyMs = 2000
  published = 0
  failure = ''
  tallies: Readonly<Record<Way, Tally>> = fresh()
  #channel = ''
  #began = 0
  #abort = new AbortController()
  #source: EventSource | undefined

  readonly stop = (): void => {
    this.#abort.abort()
    this.#source?.close()
    if (this.phase === 'running') this.phase = 'over'
    endTurn(this.stop)
    this.changed()
  }

  async start(): Promise<void> {
    this.stop()
    takeTurn(this.stop)
    this.#channel = `${freshPrefix()}ways`
    this.#began = performance.now()
    this.tallies = fresh()
    this.published = 0
    this.failure = ''
    this.phase = 'running'
    const abort = new AbortController()
    this.#abort = abort
    const { signal } = abort
    this.changed()
    void this.#loop('poll', '', () => this.everyMs, signal)
    void this.#loop('long-poll', `&wait=${WAIT_SECONDS}`, () => 0, signal)
    try {
      const [ticket] = await tickets(1, this.#channel)
      if (!signal.aborted) this.#listen(ticket)
    } catch (error) {
      this.#fail('sse', error)
    }
  }

  async publish(): Promise<void> {
    eraseLater(this.#channel)
    const body = eventData(++this.published, this.#now())
    this.changed()
    const response = await fetch(urlOf(`channels/${this.#channel}`), {
      method: 'POST',
      headers: headers(),
      body,
    })
    this.failure = response.ok ? '' : await problemOf(response)
    this.changed()
  }

  #now(): number {
    return performance.now() - this.#began
  }

  #fail(way: Way, error: unknown): void {
    this.tallies[way].failed(this.#now(), String(error))
    this.changed()
  }

  async #loop(way: Way, query: string, pauseMs: () => number, signal: AbortSignal): Promise<void> {
    const tally = this.tallies[way]
    let after = 'start'
    while (!signal.aborted) {
      tally.asked(this.#now())
      this.changed()
      try {
        const url = urlOf(`channels/${this.#channel}?transport=${way}&after=${after}${query}`)
        const response = await fetch(url, { headers: headers(), signal, cache: 'no-store' })
        if (!response.ok) throw new Error(await problemOf(response))
        const page = (await response.json()) as { events: readonly { data: string }[]; cursor: string }
        after = page.cursor
        if (page.events.length === 0) tally.nothing(this.#now())
        for (const { data } of page.events) tally.came(this.#now(), data)
        this.changed()
        await pause(pauseMs(), signal)
      } catch (error) {
        if (signal.aborted) return
        this.#fail(way, error)
        await pause(AFTER_FAILURE, signal)
      }
    }
  }

  #listen(ticket: string | undefined): void {
    const tally = this.tallies.sse
    const query = ticket === undefined ? '' : `&ticket=${encodeURIComponent(ticket)}`
    const source = new EventSource(urlOf(`channels/${this.#channel}?after=start${query}`))
    this.#source = source
    const asks = (): void => {
      tally.asked(this.#now())
      this.changed()
    }
    asks()
    source.addEventListener('open', () => {
      tally.opened(this.#now())
      this.changed()
    })
    source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      tally.came(this.#now(), data)
      this.changed()
    })
    source.addEventListener('error', () => {
      if (source.readyState === source.CLOSED) this.#fail('sse', 'CLOSED')
      else asks()
    })
  }
}

function fresh(): Record<Way, Tally> {
  return { poll: new Tally(), 'long-poll': new Tally(), sse: new Tally() }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
