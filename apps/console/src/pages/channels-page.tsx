/** All channels, as they change. */
import { useState } from 'preact/hooks'
import { age, bytes, count } from '../format.ts'
import { hub } from '../hub.ts'
import { speech } from '../language.ts'
import type { ChannelRow, SortKey } from '../model/channels.ts'
import { Sparkline } from '../parts/sparkline.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { linkTo } from '../route.ts'
import { useChanging } from '../store.ts'

export function ChannelsPage() {
  useChanging(hub, speech)
  const [text, setText] = useState('')
  const [[sort, descending], setSort] = useState<readonly [SortKey, boolean]>(['name', false])
  const { words, language } = speech
  const { channels, readers } = hub
  const readersOf = (name: string): number => {
    const { sse, longPoll } = readers.of(name)
    return sse + longPoll
  }
  const rows = channels.find(text, sort, descending, readersOf)
  const columns: readonly Column<ChannelRow>[] = [
    { key: 'name', title: words.name, sorts: true, cell: ({ name }) => <a href={linkTo(name)}>{name}</a> },
    {
      key: 'rate',
      title: words.rate,
      sorts: true,
      cell: ({ name }) => (
        <Sparkline values={channels.rates(name)} label={`${count(channels.rate(name), language)} / s`} />
      ),
    },
    {
      key: 'events',
      title: words.events,
      sorts: true,
      numeric: true,
      cell: ({ events }) => count(events, language),
    },
    {
      key: 'bytes',
      title: words.bytes,
      sorts: true,
      numeric: true,
      wide: true,
      cell: (row) => bytes(row.bytes, language),
    },
    {
      key: 'readers',
      title: words.readers,
      sorts: true,
      numeric: true,
      cell: ({ name }) => {
        const { sse, longPoll } = readers.of(name)
        return longPoll === 0
          ? count(sse, language)
          : `${count(sse, language)} + ${count(longPoll, language)}`
      },
    },
    {
      key: 'time',
      title: words.newest,
      sorts: true,
      wide: true,
      cell: ({ time }) => (time === undefined ? words.none : age(time, Date.now(), language)),
    },
    {
      key: 'oldest',
      title: words.oldest,
      wide: true,
      cell: ({ oldest }) => <code>{oldest ?? words.none}</code>,
    },
    { key: 'state', title: words.state, cell: ({ ended }) => (ended ? words.ended : words.open) },
  ]
  return (
    <>
      <h1>{words.channels}</h1>
      <div class="tools">
        <label>
          {words.search}
          <input type="search" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </label>
        <output>{words.found(rows.length, channels.size)}</output>
      </div>
      {channels.size === 0 && hub.complete ? (
        <p>
          {words.noChannels} <code>curl -d hello {new URL('channels/demo', document.baseURI).href}</code>
        </p>
      ) : (
        <Table
          caption={words.channels}
          columns={columns}
          rows={rows}
          keyOf={({ name }) => name}
          sort={sort}
          descending={descending}
          onSort={(key) => setSort([key as SortKey, sort === key ? !descending : key !== 'name'])}
        />
      )}
    </>
  )
}
