// A stranger's TypeScript, compiled strictly against the packed packages.
/* oxlint-disable unicorn/prefer-add-event-listener, no-new -- as users write it */
import {
  EventSource,
  type EventSourceInit,
  readEventStream,
  type Share,
  type StreamEvent,
  subscribe,
} from '@downlink/client'
import { type UseEventsOptions, useConnection, useEvents, useLatest } from '@downlink/client/react'
import { share } from '@downlink/client/share'
import { type EventsSnapshot, eventStore } from '@downlink/client/store'
import { encodeEvent, type Page, parsePage } from '@downlink/wire'

export async function firstEvent(url: string): Promise<StreamEvent | undefined> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream' } })
  for await (const event of readEventStream(response.body, { maxEventSize: 1024 })) return event
  return undefined
}
export const page: Page = parsePage('{"events":[],"cursor":"e-0","more":false,"retry":1000}')
export const block: string = encodeEvent({ data: 'x' })
// @ts-expect-error -- data is not optional
encodeEvent({ id: 'e-1' })

const options: EventSourceInit = {
  headers: async () => ({ authorization: await Promise.resolve('Bearer x') }),
  fetch: (url, init) => fetch(url, init),
  errorDetails: true,
  lastEventId: 'e-1',
}
export const source = new EventSource(new URL('http://localhost:4080/channels/orders'), options)
source.onmessage = function ({ data }) {
  const text: string = data
  console.log(this.url, text)
}
source.onerror = ({ reason, status, headers }) =>
  reason === 'status' ? console.log(status, headers?.get('retry-after')) : console.log(reason)
source.addEventListener('open', (event: Event) => console.log(event.type))
source.addEventListener('paid', ({ data, lastEventId }) => console.log(data.length, lastEventId), {
  once: true,
})
export const state: 0 | 1 | 2 = EventSource.CLOSED
export const given: EventSource = EventSource.fromReadableStream(new ReadableStream<Uint8Array>())
/** Where the one of the browser is asked for, ours will do. */
export const native: globalThis.EventSource = source
// @ts-expect-error -- the state is not for anyone to set
source.readyState = 1
// @ts-expect-error -- a header is text
new EventSource('/', { headers: { a: 1 } })

export const together: Share = share('user 42')
subscribe('/channels/orders', { share: together }).close()
// @ts-expect-error -- whose tabs they are has to be said
share()

interface Orders {
  paid: { total: number }
  note: string
}
const orders = eventStore<Orders>('/channels/orders', { parse: 'json', keep: 10 })
export const stop: () => void = orders.subscribe(() => {
  const { events, connection, gaps }: EventsSnapshot<Orders> = orders.getSnapshot()
  for (const event of events) if (event.type === 'paid') console.log(event.data.total + gaps.length)
  console.log(connection.phase)
  // @ts-expect-error -- a snapshot is not for anyone to change
  events.pop()
})

export function useTotal(): number {
  const options: UseEventsOptions = { last: 20, key: 'ann' }
  const { events } = useEvents<Orders>('/channels/orders', options)
  const latest = useLatest<Orders>(new URL('http://localhost:4080/channels/orders'), options)
  // @ts-expect-error -- no such type of event
  if (latest?.type === 'unpaid') return 0
  if (latest?.type === 'note') console.log(latest.data.toUpperCase(), useConnection(null).phase)
  return events.reduce((sum, event) => (event.type === 'paid' ? sum + event.data.total : sum), 0)
}
// @ts-expect-error -- a hook is ended by unmounting
export const ended: UseEventsOptions = { signal: AbortSignal.abort() }
