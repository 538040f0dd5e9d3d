/** The hub that serves this page: what it tells of itself, kept up to date, and what can be asked of it. */
import { subscribe, type Subscription } from '@downlink/client'
import { type ChannelRow, Channels, type ChannelsTold } from './model/channels.ts'
import { Readers, type Reader, type ReadersTold } from './model/readers.ts'
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
const TOKEN = 'downlink-console-token'

class HubState extends Changing {
  readonly channels = new Channels()
  readonly readers = new Readers()
  readonly history = new History()
  trouble: readonly TroubleLine[] = []
  phase: Phase = 'connecting'
  /** Whether the list of channels has been read to its end. */
  complete = false
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

let updates: Subscription | undefined

/** Begins to follow the hub, and begins anew when there is another token. */
export function follow(): void {
  updates?.close()
  hub.phase = 'connecting'
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
    if (hub.phase === 'live' && before !== 'live') void list()
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
  switch (channel) {
    case '$hub.vitals':
      hub.history.tell({ time: Date.parse(time), vitals: value as Vitals })
      hub.channels.tick()
      break
    case '$hub.channels':
      hub.channels.tell(value as ChannelsTold)
      break
    case '$hub.readers':
      hub.readers.tell(value as ReadersTold)
      break
    case '$hub.trouble':
      hub.trouble = [{ id, time, ...(value as Omit<TroubleLine, 'id' | 'time'>) }, ...hub.trouble].slice(
        0,
        MOST_TROUBLE,
      )
      break
    default:
  }
}

/** Who reads, and all channels: from then on the changes say the rest. */
async function list(): Promise<void> {
  try {
    const { readers, untold } = await ask<{ readers: readonly Reader[]; untold: number }>('readers')
    hub.readers.tell({ came: readers, changed: [], left: [], untold })
    let next: string | undefined = ''
    while (next !== undefined) {
      const page: { channels: readonly ChannelRow[]; next?: string } = await ask(
        `channels?limit=1000&after=${encodeURIComponent(next)}`,
      )
      hub.channels.list(page.channels)
      next = page.next
      hub.changed()
    }
    hub.complete = true
  } catch (error) {
    console.warn('The lists can’t be read', error)
  }
  hub.changed()
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
