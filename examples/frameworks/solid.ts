import { type Accessor, createSignal, For, type JSX, onCleanup, onMount } from 'solid-js'
import html from 'solid-js/html'
import { type EventsSnapshot, type EventStore, eventStore } from '@downlink/client/store'

export default function Orders(): JSX.Element {
  const orders = follow(eventStore('/channels/orders', { last: 10 }))
  return html`
    <p>${() => orders().connection.phase}</p>
    <ul>
      <${For} each=${() => orders().events}>
        ${({ data }: { readonly data: string }) => html`<li>${data}</li>`}
      <//>
    </ul>
  `
}

/** For a file of its own. A server never mounts, and so asks for nothing. */
function follow<Events extends object>(store: EventStore<Events>): Accessor<EventsSnapshot<Events>> {
  const [snapshot, setSnapshot] = createSignal(store.getSnapshot())
  const update = () => setSnapshot(() => store.getSnapshot())
  onMount(() => {
    onCleanup(store.subscribe(update))
    update()
  })
  return snapshot
}
