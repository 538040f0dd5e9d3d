/** Who is connected. */
import { age, bytes, count } from '../format.ts'
import { hub, send } from '../hub.ts'
import { speech } from '../language.ts'
import type { Reader } from '../model/readers.ts'
import { type Column, Table } from '../parts/table.tsx'
import { useChanging } from '../store.ts'

export function ReadersPage() {
  useChanging(hub, speech)
  const { words, language } = speech
  const { readers } = hub
  const columns: readonly Column<Reader>[] = [
    { key: 'channels', title: words.channels, cell: ({ channels }) => channels.join(', ') },
    { key: 'transport', title: words.transport, cell: ({ transport }) => transport },
    { key: 'subject', title: words.subject, cell: ({ subject }) => (subject === '' ? words.none : subject) },
    { key: 'address', title: words.address, wide: true, cell: ({ address }) => address ?? words.none },
    {
      key: 'since',
      title: words.since,
      wide: true,
      cell: ({ since }) => (since === undefined ? words.none : age(since, Date.now(), language)),
    },
    {
      key: 'lag',
      title: words.lag,
      numeric: true,
      cell: ({ lag, slowSince }) => (
        <span class={slowSince === undefined ? '' : 'bad'}>
          {lag === 0 ? words.live_ : count(lag, language)}
        </span>
      ),
    },
    {
      key: 'waiting',
      title: words.bytesWaiting,
      numeric: true,
      wide: true,
      cell: ({ bytesWaiting }) => (bytesWaiting ? bytes(bytesWaiting, language) : words.none),
    },
    { key: 'coding', title: words.coding, wide: true, cell: ({ coding }) => coding ?? words.none },
    {
      key: 'disconnect',
      title: words.disconnect,
      cell: ({ id }) => (
        <button type="button" onClick={() => void send('POST', 'disconnect', JSON.stringify({ reader: id }))}>
          {words.disconnect}
        </button>
      ),
    },
  ]
  return (
    <>
      <h1>{words.readers}</h1>
      {readers.size === 0 ? (
        <p class="quiet">{words.noReaders}</p>
      ) : (
        <Table caption={words.readers} columns={columns} rows={readers.all} keyOf={({ id }) => id} />
      )}
      {readers.untold > 0 && <p class="quiet">{words.untold(readers.untold)}</p>}
    </>
  )
}
