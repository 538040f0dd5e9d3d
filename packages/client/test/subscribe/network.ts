/** A hub, and a network before it with weather: what a request meets is decided when it is made. */
import type { World } from './world.ts'

export const WEATHERS = [
  'clear',
  /** Nobody is there. */
  'down',
  /** Nothing is ever answered. */
  'hang',
  /** A proxy's excuses: for everything, or for streams. */
  'bad gateway',
  'no streams',
  /** The hub itself refuses for a time. */
  'draining',
  /** Streams: no head; a head and no byte; the first bytes and no more; no byte after a while; all at once now and then. */
  'no head',
  'no body',
  'first bytes only',
  'goes silent',
  'bursts',
  /** Streams are cut after some seconds, by an error or by an end. */
  'cuts',
  'ends',
  /** Waiting requests are cut. */
  'waits cut',
  /** Pages break in the middle. */
  'truncates',
  /** Bytes come one by one, or late. */
  'trickles',
  'slow',
  /** The token has run out. */
  'unauthorized',
] as const
export type Weather = (typeof WEATHERS)[number]

const HEARTBEAT = 15_000
const encoder = new TextEncoder()

export class Network {
  weather: Weather = 'clear'
  readonly log: { readonly at: number; readonly channel: string }[] = []
  /** When requests were made. */
  readonly asked: number[] = []
  /** Requests whose answer is not over, and how many of them are streams. */
  open = 0
  streams = 0
  /** The channels of each request. */
  readonly reads: (readonly string[])[] = []
  /** Channels that nobody may read. */
  readonly forbidden = new Set<string>()
  readonly #world: World
  readonly #waiting = new Set<() => void>()

  constructor(world: World) {
    this.#world = world
  }

  publish(channel = 'a'): void {
    this.log.push({ at: this.#world.time, channel })
    for (const wake of this.#waiting) wake()
  }

  readonly fetch = (url: string, init: RequestInit): Promise<Response> => {
    const world = this.#world
    this.asked.push(world.time)
    const { searchParams, pathname } = new URL(url)
    const names = pathname.replace(/.*\//, '').split(',')
    const transport = searchParams.get('transport') ?? 'sse'
    const signal = init.signal as AbortSignal
    const after = searchParams.get('after') ?? 'now'
    const from = after === 'start' ? 0 : after === 'now' ? this.log.length : Number(after.slice(2))
    const { weather } = this
    this.reads.push(names)
    this.open++
    const over = (): void => void this.open--
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        over()
        reject(new DOMException('aborted', 'AbortError'))
      }
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      const answer = (make: () => Response | undefined): void => {
        if (signal.aborted) return
        signal.removeEventListener('abort', abort)
        const response = make()
        if (!response) {
          over()
          return reject(new TypeError('fetch failed'))
        }
        if (!response.body || response.headers.get('content-type') !== 'text/event-stream') over()
        resolve(response)
      }
      const status = (code: number, headers = {}, body = 'no'): void =>
        answer(() => new Response(body, { status: code, headers }))
      const delay = weather === 'slow' ? world.int(500, 3000) : world.int(0, 50)
      world.after(delay, () => {
        if (weather === 'down') return answer(() => undefined)
        if (weather === 'hang' || (weather === 'no head' && transport === 'sse')) return
        if (weather === 'bad gateway' || (weather === 'no streams' && transport === 'sse')) return status(502)
        if (names.some((name) => this.forbidden.has(name))) return status(403)
        if (weather === 'unauthorized') return status(401)
        if (weather === 'draining' && transport !== 'poll') {
          const headers = { 'content-type': 'application/problem+json', 'retry-after': '2' }
          return status(503, headers, '{"code":"draining"}')
        }
        if (transport === 'sse') return answer(() => this.#stream(names, from, weather, signal, over))
        const wait = Number(searchParams.get('wait') ?? 0) * 1000
        const limit = Number(searchParams.get('limit'))
        this.#page(names, from, limit, wait, weather, signal, answer)
      })
    })
  }

  #page(
    names: readonly string[],
    from: number,
    limit: number,
    wait: number,
    weather: Weather,
    signal: AbortSignal,
    answer: (make: () => Response | undefined) => void,
  ): void {
    const world = this.#world
    const done = (): void => {
      stop()
      answer(() => {
        const events = []
        let to = from
        while (to < this.log.length && events.length < limit)
          if (names.includes(this.log[to++]?.channel ?? '')) events.push(this.#event(to))
        const cursor = `e-${to}`
        const text = JSON.stringify({ events, cursor, more: to < this.log.length, retry: 3000 })
        const cut = weather === 'truncates' && world.chance(0.5) ? text.slice(0, text.length >> 1) : text
        return new Response(cut, { headers: { 'content-type': 'application/json' } })
      })
    }
    const cancel = world.after(weather === 'waits cut' ? Math.min(wait, 4000) : wait, () => {
      if (weather !== 'waits cut' || wait <= 4000) return done()
      stop()
      answer(() => (world.chance(0.5) ? undefined : new Response('late', { status: 504 })))
    })
    const stop = (): void => {
      cancel()
      this.#waiting.delete(done)
      signal.removeEventListener('abort', stop)
    }
    signal.addEventListener('abort', stop)
    if (this.log.slice(from).some(({ channel }) => names.includes(channel))) done()
    else this.#waiting.add(done)
  }

  #event(position: number): object {
    const { at = 0, channel } = this.log[position - 1] ?? {}
    const time = new Date(at).toISOString()
    return { id: `e-${position}`, channel, type: 'message', data: String(position), time }
  }

  #stream(
    names: readonly string[],
    from: number,
    weather: Weather,
    signal: AbortSignal,
    over: () => void,
  ): Response {
    const world = this.#world
    let controller: ReadableStreamDefaultController<Uint8Array>
    let position = from
    let first = true
    let held = ''
    let closed = false
    const cancels = new Set<() => void>()
    const later = (ms: number, run: () => void): void => {
      const cancel = world.after(ms, () => {
        cancels.delete(cancel)
        run()
      })
      cancels.add(cancel)
    }
    const close = (how: 'end' | 'error' | 'gone'): void => {
      if (closed) return
      closed = true
      this.streams--
      over()
      for (const cancel of cancels) cancel()
      this.#waiting.delete(send)
      signal.removeEventListener('abort', abort)
      if (how === 'end') controller.close()
      else if (how === 'error') controller.error(new TypeError('terminated'))
    }
    const abort = (): void => {
      if (!closed) controller.error(new DOMException('aborted', 'AbortError'))
      close('gone')
    }
    const quietFrom = world.time + (weather === 'goes silent' ? world.int(0, 20_000) : Infinity)
    const write = (text: string): void => {
      if (closed || weather === 'no body' || world.time >= quietFrom) return
      if (weather === 'first bytes only' && !first) return
      if (weather === 'bursts' && !first) return void (held += text)
      first = false
      if (weather !== 'trickles') return controller.enqueue(encoder.encode(text))
      for (const byte of encoder.encode(text)) controller.enqueue(Uint8Array.of(byte))
    }
    const send = (): void => {
      let text = ''
      while (position < this.log.length) {
        const { time, channel } = this.#event(++position) as { time: string; channel: string }
        if (names.includes(channel))
          text += `id: e-${position}\nchannel: ${channel}\ntime: ${time}\ndata: ${position}\n\n`
      }
      if (text) write(text)
    }
    const beat = (): void => {
      write(':\n')
      later(HEARTBEAT, beat)
    }
    const flush = (): void => {
      if (held && !closed) controller.enqueue(encoder.encode(held))
      held = ''
      later(world.int(5000, 12_000), flush)
    }
    const body = new ReadableStream<Uint8Array>({
      start: (given) => void (controller = given),
      cancel: () => close('gone'),
    })
    this.streams++
    signal.addEventListener('abort', abort)
    write(`retry: 3000\nevent: downlink:open\nid: e-${from}\ndata: {"heartbeat":${HEARTBEAT}}\n\n`)
    send()
    this.#waiting.add(send)
    later(world.int(0, HEARTBEAT), beat)
    later(1000, flush)
    const age = /^(cuts|ends)$/.test(weather) ? world.int(0, 6000) : world.int(60_000, 1_800_000)
    later(age, () => close(weather === 'cuts' ? 'error' : 'end'))
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
}
