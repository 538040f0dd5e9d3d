/** A script of the guide, running: what it prints, and what happens to its sources meanwhile. */
import { headers, urlOf } from '../hub.ts'
import { channelsOf, Names } from '../model/guide-names.ts'
import { Changing } from '../store.ts'
import { endTurn, eraseLater, freshPrefix, problemOf, takeTurn, tickets } from './alive.ts'
import type { Script, Setup, Stage } from './chapter.ts'
import { type SocketWatcher, watchedSocket } from './watched-socket.ts'
import { type Watcher, watchedSource } from './watched-source.ts'

export interface LogLine {
  readonly key: number
  /** `print`: the script said it; `trace`: what happened; `fail`: what went wrong. */
  readonly kind: 'print' | 'trace' | 'fail'
  /** E.g. `onmessage`. */
  readonly what: string
  readonly text: string
  /** Milliseconds since the script began. */
  readonly at: number
}

export interface SourceState {
  readyState: number
  lastEventId: string
  opened: number
  /** When the connection was lost, in the page's time. */
  lostAt: number | undefined
  /** Milliseconds that it was away for, the last time. */
  away: number | undefined
}

const MOST_LINES = 200
export const STATES = ['CONNECTING', 'OPEN', 'CLOSED'] as const

export class Run extends Changing {
  lines: readonly LogLine[] = []
  /** Of the newest source. */
  state: SourceState | undefined
  /** Has been started, and its sources may still speak. */
  phase: 'idle' | 'running' | 'over' = 'idle'
  /** As the script knows them. */
  channels: readonly string[] = []
  /** Names of events that it listens for. */
  types: readonly string[] = []
  #names = new Names('')
  /** All that may still speak. */
  #sources = new Set<EventSource | WebSocket>()
  #began = 0
  #round = 0

  readonly stop = (): void => {
    this.#round++
    for (const source of this.#sources) source.close()
    if (this.phase === 'running') this.#settle()
  }

  /** @param sources How many native sources it makes at most. */
  async start(script: Script, setup: readonly Setup[], sources: number): Promise<void> {
    this.stop()
    takeTurn(this.stop)
    const round = this.#round
    this.#names = new Names(freshPrefix())
    this.#began = performance.now()
    this.lines = []
    this.state = undefined
    this.channels = []
    this.types = []
    this.phase = 'running'
    this.changed()
    try {
      for (const { channel, data, type } of setup) await this.publish(channel, data, type)
      const passes = await tickets(sources, `${this.#names.prefix}**`)
      if (round !== this.#round) return
      await script(this.#stage(round, passes))
    } catch (error) {
      if (round === this.#round) this.#tell('fail', '', String(error))
    }
    if (round === this.#round) this.#settle()
  }

  /** The channel as it is called in the hub. */
  nameOf(channel: string): string {
    return this.#names.channel(channel)
  }

  async publish(channel: string, data: string, type?: string): Promise<void> {
    this.#know(channel)
    const query = type === undefined ? '' : `?type=${encodeURIComponent(type)}`
    this.#tell(
      'trace',
      'publish',
      type === undefined ? `${channel}: ${data}` : `${channel}: ${type}: ${data}`,
    )
    const url = urlOf(`channels/${this.nameOf(channel)}${query}`)
    await this.#ask(url, { method: 'POST', body: data, headers: headers() })
  }

  /** Ends all connections that read the channel; browsers come back. */
  async disconnect(channel: string): Promise<void> {
    this.#tell('trace', 'cut', channel)
    const body = JSON.stringify({ channel: this.nameOf(channel) })
    await this.#ask(urlOf('disconnect'), { method: 'POST', headers: headers(), body })
  }

  /** For the page's own buttons: what goes wrong is said in the log. */
  act(what: () => Promise<void>): void {
    what().catch((error: unknown) => this.#tell('fail', '', String(error)))
  }

  async #ask(url: string, init: RequestInit): Promise<void> {
    const response = await fetch(url, init)
    if (!response.ok) throw new Error(await problemOf(response))
  }

  #know(channel: string): void {
    eraseLater(this.nameOf(channel))
    if (!this.channels.includes(channel)) this.channels = [...this.channels, channel]
  }

  #tell(kind: LogLine['kind'], what: string, text: string): void {
    const at = performance.now() - this.#began
    const key = (this.lines.at(-1)?.key ?? 0) + 1
    this.lines = [...this.lines.slice(1 - MOST_LINES), { key, kind, what, text: this.#names.plain(text), at }]
    this.changed()
  }

  #stage(round: number, passes: string[]): Stage {
    const current = (): boolean => round === this.#round
    return {
      EventSource: watchedSource(this.#names, passes, this.#watcher()),
      WebSocket: watchedSocket(this.#names, passes, this.#socketWatcher()),
      location: {
        href: new URL('/', document.baseURI).href,
        reload: () => current() && this.#tell('print', '', 'location.reload()'),
      },
      print: (...words) => current() && this.#tell('print', '', words.join(' ').trimEnd()),
      publish: async (...words) => (current() ? this.publish(...words) : undefined),
      disconnect: async (channel) => (current() ? this.disconnect(channel) : undefined),
      fetch: async (asked, init) => {
        const path = asked as string
        for (const channel of channelsOf(path)) this.#know(channel)
        const own = new Headers(init?.headers)
        for (const [name, value] of Object.entries(headers())) own.set(name, value)
        const response = await fetch(urlOf(this.#names.path(path)), { ...init, headers: own })
        if (current()) this.#tell('trace', 'fetch', `${init?.method ?? 'GET'} ${path} → ${response.status}`)
        return response
      },
    }
  }

  #watcher(): Watcher {
    return {
      made: (source, asked) => {
        this.#sources.add(source)
        for (const channel of channelsOf(asked)) this.#know(channel)
        this.state = { readyState: 0, lastEventId: '', opened: 0, lostAt: undefined, away: undefined }
        this.#tell('trace', 'new EventSource', asked)
      },
      opened: (source) => this.#opened(source),
      lost: (source) => this.#lost(source),
      greeted: (source, lastEventId) => this.#show(source, lastEventId),
      listens: (type) => {
        if (!this.types.includes(type)) this.types = [...this.types, type]
      },
      came: (source, what, { data, lastEventId }) => {
        this.#tell('trace', what, data)
        this.#show(source, lastEventId)
      },
      closed: (source) => {
        this.#tell('trace', 'close()', '')
        this.#show(source)
        this.#forget(source)
      },
    }
  }

  #opened(source: EventSource): void {
    const { state } = this
    if (state !== undefined) {
      state.opened++
      if (state.lostAt !== undefined) state.away = performance.now() - state.lostAt
      state.lostAt = undefined
    }
    this.#tell('trace', 'onopen', `readyState 1 OPEN`)
    this.#show(source)
  }

  #lost(source: EventSource): void {
    if (this.state !== undefined) this.state.lostAt ??= performance.now()
    this.#tell('trace', 'onerror', `readyState ${source.readyState} ${STATES[source.readyState]}`)
    this.#show(source)
    if (source.readyState === source.CLOSED) this.#forget(source)
  }

  #socketWatcher(): SocketWatcher {
    return {
      made: (socket, asked) => {
        this.#sources.add(socket)
        for (const channel of channelsOf(asked)) this.#know(channel)
        this.#tell('trace', 'new WebSocket', asked)
      },
      happened: (_, what, text) => this.#tell('trace', what, text),
      closed: (socket) => this.#forget(socket),
    }
  }

  #forget(source: EventSource | WebSocket): void {
    this.#sources.delete(source)
    this.#settle()
  }

  /** Without sources it is over. What the script's handlers say yet is still heard. */
  #settle(): void {
    if (this.#sources.size > 0) return
    this.phase = 'over'
    endTurn(this.stop)
    this.changed()
  }

  #show(source: EventSource, lastEventId?: string): void {
    if (this.state === undefined) return
    this.state.readyState = source.readyState
    if (lastEventId !== undefined) this.state.lastEventId = lastEventId
    this.changed()
  }
}
