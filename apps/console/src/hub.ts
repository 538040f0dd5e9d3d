/** The hub that serves this page: what it tells of itself, kept up to date, and what can be asked of it. */
import { subscribe, type Subscription } from '@downlink/client'
import { parseCursor } from '@downlink/wire'
import { ChannelOrder } from './model/channel-order.ts'
import { type ChannelRow, Channels, type ChannelsTold } from './model/channels.ts'
import { Readers, type Reader, sum, type ReadersTold } from './model/readers.ts'
import { History, type Vitals } from './model/vitals.ts'
import { Changing } from './store.ts'

/** `token`: it has to be told who asks. */
export type Phase = 'connecting' | 'live' | 'waiting' | 'over' | 'token'

export interface TroubleLine {
  readonly id: string
  readonly time: string
  readonly kind: string
  readonly status?: number
  readonly code?: string
  readonly message: string
}

const MOST_TROUBLE = 200
/** When the lists are asked for again that could not be read. */
const LIST_AGAIN_MS = 5_000
const TOKEN = 'downlink-console-token'

class HubState extends Changing {
  channels = new Channels()
  readonly readers = new Readers()
  order = new ChannelOrder(this.channels, (name) => sum(this.readers.of(name)))
  readonly history = new History()
  trouble: readonly TroubleLine[] = []
  phase: Phase = 'connecting'
  /** Whether the list of channels has been read to its end. */
  complete = false

  /** As if nothing had been told yet. */
  reset(): void {
    this.channels = new Channels()
    this.order = new ChannelOrder(this.channels, (name) => sum(this.readers.of(name)))
    this.readers.list([], 0)
    this.history.clear()
    this.trouble = []
    this.complete = false
  }
}

export const hub = new HubState()

/** Relative to the page, so that a hub may be mounted anywhere. */
export function urlOf(path: string): string {
  return new URL(path, document.baseURI).href
}

export function token(): string {
  return sessionStorage.getItem(TOKEN) ?? ''
}

export function headers(): Record<string, string> {
  const known = token()
  return known === '' ? {} : { authorization: `Bearer ${known}` }
}

/** Who else hears what the hub tells, by its channel. */
export const hearing = new Map<string, (value: unknown) => void>()

let updates: Subscription | undefined
/** While the lists are read: what was told of readers, since the list that comes may be older. */
let toldOfReaders: { readonly cursor: string; readonly value: ReadersTold }[] | undefined

/** Begins to follow the hub, and begins anew when there is another token. */
export function follow(): void {
  updates?.close()
  hub.reset()
  hub.phase = 'connecting'
  beginLists()
  const following = subscribe(urlOf('channels/$hub.*?fields=channel,time'), { after: 'start', headers })
  updates = following
  following.on('event', ({ channel, data, id, time }) => {
    take(channel ?? '', JSON.parse(data), id, time ?? '')
    hub.changed()
  })
  following.on('state', ({ phase }) => {
    const before = hub.phase
    hub.phase =
      phase === 'open' ? 'live' : phase === 'closed' ? before : before === 'live' ? 'waiting' : before
    if (hub.phase === 'live' && before !== 'live') void list(following)
    // What was told while it was away may have been lost: the lists are read again.
    if (hub.phase !== 'live' && before === 'live') beginLists()
    hub.changed()
  })
  following.on('error', (error) => {
    const status = (error as { status?: number }).status
    hub.phase = status === 401 || status === 403 ? 'token' : 'over'
    hub.changed()
  })
}

export function useToken(text: string): void {
  sessionStorage.setItem(TOKEN, text.trim())
  follow()
}

function take(channel: string, value: unknown, id: string, time: string): void {
  const at = Date.parse(time)
  switch (channel) {
    case '$hub.vitals':
      hub.history.tell({ time: at, vitals: value as Vitals })
      hub.channels.tick(at)
      break
    case '$hub.channels':
      hub.channels.tell(value as ChannelsTold, id, at)
      break
    case '$hub.readers':
      hub.readers.tell(value as ReadersTold)
      toldOfReaders?.push({ cursor: id, value: value as ReadersTold })
      break
    case '$hub.trouble':
      hub.trouble = [{ id, time, ...(value as Omit<TroubleLine, 'id' | 'time'>) }, ...hub.trouble].slice(
        0,
        MOST_TROUBLE,
      )
      break
    default:
      hearing.get(channel)?.(value)
  }
}

function beginLists(): void {
  toldOfReaders = []
  hub.channels.begin()
}

/** Who reads, and all channels: from then on the changes say the rest. */
async function list(following: Subscription): Promise<void> {
  /** The page was told to follow anew, or the connection went: another list is on its way. */
  const isOver = (): boolean => updates !== following || hub.phase !== 'live'
  try {
    const { readers, untold, cursor } = await ask<{
      readers: readonly Reader[]
      untold: number
      cursor: string
    }>('readers')
    if (isOver()) return
    const isNewer = (told: string): boolean => isAfter(told, cursor)
    hub.readers.list(readers, untold)
    for (const told of toldOfReaders ?? []) if (isNewer(told.cursor)) hub.readers.tell(told.value)
    toldOfReaders = undefined
    let next: string | undefined = ''
    while (next !== undefined) {
      const page: { channels: readonly ChannelRow[]; next?: string } = await ask(
        `channels?limit=1000&after=${encodeURIComponent(next)}`,
      )
      if (isOver()) return
      hub.channels.list(page.channels, isNewer)
      next = page.next
      hub.changed()
    }
    hub.channels.complete(isNewer)
    hub.complete = true
  } catch (error) {
    console.warn('The lists can’t be read', error)
    if (!isOver()) {
      beginLists()
      setTimeout(() => !isOver() && void list(following), LIST_AGAIN_MS)
    }
  }
  hub.changed()
}

/** Of another epoch is what another process told, before it ended. */
function isAfter(one: string, other: string): boolean {
  const [a, b] = [parseCursor(one), parseCursor(other)]
  return a.epoch === b.epoch && a.position > b.position
}

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(urlOf(path), { headers: headers() })
  if (!response.ok) throw new Error(`${response.status} of ${path}`)
  return response.json() as Promise<T>
}

/** What the hub says when it says no. */
export async function send(
  method: 'POST' | 'DELETE',
  path: string,
  body?: string,
): Promise<string | undefined> {
  const response = await fetch(urlOf(path), {
    method,
    headers: headers(),
    ...(body !== undefined && { body }),
  })
  if (response.ok) return undefined
  const problem = (await response.json().catch(() => ({}))) as { detail?: string }
  return problem.detail ?? `${response.status}`
}

/** Undefined when it was, `''` when it was not there any more, else what the hub says. Rejects when it can't be reached. */
export async function disconnectReader(reader: number): Promise<string | undefined> {
  const response = await fetch(urlOf('disconnect'), {
    method: 'POST',
    headers: headers(),
    body: JSON.stringify({ reader }),
  })
  const told = (await response.json().catch(() => ({}))) as { disconnected?: number; detail?: string }
  if (!response.ok) return told.detail ?? `${response.status}`
  return told.disconnected === 0 ? '' : undefined
}
