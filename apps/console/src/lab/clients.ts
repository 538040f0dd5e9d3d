/** One client of each kind, in the page: each reads the events of a run as pages do, and is watched. */
import { EventSource as HubSource } from '@downlink/client'
import { type Page, parsePage } from '@downlink/wire'
import { type Traces } from '../model/lab-trace.ts'
import { type LabEvent, LONG_POLL_WAIT_MS, type Technique } from './shared.ts'

export interface Ground {
  /** Where the events are, without a query. */
  readonly url: string
  /** Of the page's token; empty where the hub asks for none. */
  readonly headers: () => Record<string, string>
  /** A ticket for what sends no headers; undefined where none is needed. */
  readonly ticket: () => Promise<string | undefined>
  readonly signal: AbortSignal
  readonly pollEvery: number
  readonly traces: Traces
  /** By the page's clock, in milliseconds since 1970. */
  readonly now: () => number
  /** What to take from the hub's time for the page's. */
  readonly offset: () => number
}

const RETRY_MS = 1_000
const LONGEST_RETRY_MS = 10_000

export function begin(technique: Technique, ground: Ground): void {
  switch (technique) {
    case 'poll':
      void ask(ground, 'poll', 'transport=poll', () => ground.pollEvery)
      break
    case 'long-poll':
      void ask(ground, 'long-poll', `transport=long-poll&wait=${LONG_POLL_WAIT_MS / 1000}`, () => 0)
      break
    case 'sse':
      listen(ground)
      break
    case 'websocket':
      void talk(ground)
  }
}

/** By pages, as `subscribe()` does: at the cursor of the one before, with its `ETag` when nothing has come since. */
async function ask(
  ground: Ground,
  technique: 'poll' | 'long-poll',
  how: string,
  pause: () => number,
): Promise<void> {
  const { signal, traces, now } = ground
  const trace = traces.of(technique)
  let cursor = 'start'
  let etag: string | undefined
  let failures = 0
  while (!signal.aborted) {
    const asked = trace.asks(now())
    let wait = pause()
    try {
      const response = await fetch(`${ground.url}?after=${cursor}&limit=1000&${how}`, {
        signal,
        // The page looks after itself what has changed.
        cache: 'no-store',
        headers: {
          accept: 'application/json',
          ...(etag !== undefined && { 'if-none-match': etag }),
          ...ground.headers(),
        },
      })
      if (response.status === 304) trace.answered(asked, now())
      else if (response.ok) {
        const page = parsePage(await response.text())
        take(ground, technique, asked, page)
        trace.answered(asked, now())
        etag = page.cursor === cursor ? (response.headers.get('etag') ?? undefined) : undefined
        cursor = page.cursor
        if (page.more) wait = 0
        else if (technique === 'long-poll' && isTooSoon(page, now() - asked.start)) wait = page.retry
      } else throw new Error(`${response.status}`)
      failures = 0
    } catch {
      if (signal.aborted) trace.left(asked, now())
      else trace.failed(asked, now())
      wait = Math.min(RETRY_MS * 2 ** failures++, LONGEST_RETRY_MS)
    }
    if (wait > 0) await sleep(wait, signal)
  }
}

/** An empty page that comes clearly too soon is that of a hub that stops (protocol 5.2.2). */
function isTooSoon({ events }: Page, took: number): boolean {
  return events.length === 0 && took < LONG_POLL_WAIT_MS / 2
}

function take(
  ground: Ground,
  technique: Technique,
  asked: ReturnType<Traces['of']>['asked'][number],
  page: Pick<Page, 'events'>,
): void {
  const now = ground.now()
  for (const { data } of page.events) arrived(ground, technique, asked, data, now)
}

function arrived(
  { traces, offset }: Ground,
  technique: Technique,
  asked: ReturnType<Traces['of']>['asked'][number],
  data: string,
  now: number,
): void {
  const { n, t } = JSON.parse(data) as LabEvent
  traces.arrived(technique, asked, n, t - offset(), now)
}

/** The browser's own EventSource; ours where it has to show a token, since the browser's sends no headers. */
function listen(ground: Ground): void {
  const { signal, traces, now } = ground
  const trace = traces.of('sse')
  const url = `${ground.url}?after=start`
  const source =
    Object.keys(ground.headers()).length > 0
      ? new HubSource(url, { headers: ground.headers })
      : new EventSource(url)
  let asked = trace.asks(now())
  const events: EventTarget = source
  events.addEventListener('open', () => {
    // It has come back: it asked when its time was over, and does not say when.
    if (asked.end !== undefined) asked = trace.asks(now())
  })
  events.addEventListener('message', (event) =>
    arrived(ground, 'sse', asked, (event as MessageEvent<string>).data, now()),
  )
  events.addEventListener('error', () => {
    if (source.readyState === 2) trace.failed(asked, now())
    else trace.answered(asked, now())
  })
  signal.addEventListener('abort', () => {
    source.close()
    trace.left(asked, now())
  })
}

/** Each message is a page. Coming back is the page's own work here. */
async function talk(ground: Ground): Promise<void> {
  const { signal, traces, now } = ground
  const trace = traces.of('websocket')
  let cursor = 'start'
  let failures = 0
  while (!signal.aborted) {
    const asked = trace.asks(now())
    try {
      const ticket = await ground.ticket()
      const query = ticket === undefined ? '' : `&ticket=${encodeURIComponent(ticket)}`
      const url = `${ground.url.replace(/^http/, 'ws')}?after=${cursor}${query}`
      const opened = await messages(url, signal, (text) => {
        const page = JSON.parse(text) as Partial<Pick<Page, 'events' | 'cursor'>>
        if (page.events) take(ground, 'websocket', asked, { events: page.events })
        cursor = page.cursor ?? cursor
        failures = 0
      })
      if (signal.aborted) trace.left(asked, now())
      else if (opened) trace.answered(asked, now())
      else trace.failed(asked, now())
    } catch {
      trace.failed(asked, now())
    }
    await sleep(Math.min(RETRY_MS * 2 ** failures++, LONGEST_RETRY_MS), signal)
  }
}

/** @returns Whether it was open, when it is over. */
function messages(url: string, signal: AbortSignal, take: (text: string) => void): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = new WebSocket(url)
  const close = (): void => socket.close()
  let opened = false
  socket.addEventListener('open', () => (opened = true))
  socket.addEventListener('message', ({ data }: MessageEvent<string>) => take(data))
  socket.addEventListener('close', () => {
    signal.removeEventListener('abort', close)
    resolve(opened)
  })
  signal.addEventListener('abort', close)
  return promise
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(over, ms)
  function over(): void {
    clearTimeout(timer)
    signal.removeEventListener('abort', over)
    resolve()
  }
  signal.addEventListener('abort', over)
  return promise
}
