/** All channels, as they change. */
import { useState } from 'preact/hooks'
import { age, bytes, count } from '../format.ts'
import { hub } from '../hub.ts'
import { keptOf } from '../retention.ts'
import { speech } from '../language.ts'
import type { SortKey } from '../model/channel-order.ts'
import type { ChannelRow } from '../model/channels.ts'
import { sum } from '../model/readers.ts'
import { Sparkline } from '../parts/sparkline.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { linkTo } from '../route.ts'
import { useChanging } from '../store.ts'
import { INSPECT } from '../words-inspect.ts'
import './inspect.css'

export function ChannelsPage() {
  useChanging(hub, speech)
  const [text, setText] = useState('')
  const [[sort, descending], setSort] = useState<readonly [SortKey, boolean]>(['name', false])
  const { words, language } = speech
  const more = INSPECT[language]
  const { channels, readers } = hub
  const rows = hub.order.find({ text, sort, descending })
  const now = Date.now()
  const ageOf = (time: string | undefined): string =>
    time === undefined ? words.none : age(Date.parse(time), now, language)
  const columns: readonly Column<ChannelRow>[] = [
    {
      key: 'name',
      title: words.name,
      sorts: true,
      cell: ({ name, ended }) => (
        <span class="named">
          <a href={linkTo(name)} title={name}>
            {name}
          </a>
          {ended && <span class="badge">{words.ended}</span>}
        </span>
      ),
    },
    {
      key: 'rate',
      title: more.rateOf,
      sorts: true,
      cell: ({ name }) => {
        const rate = channels.rate(name)
        const said = more.perSecond(count(rate, language))
        return (
          <span class="rate">
            <Sparkline values={channels.rates(name)} label={said} />
            <span aria-hidden="true">{rate > 0 ? said : ''}</span>
          </span>
        )
      },
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
      medium: true,
      cell: (row) => bytes(row.bytes, language),
    },
    {
      key: 'readers',
      title: words.readers,
      sorts: true,
      numeric: true,
      medium: true,
      cell: ({ name }) => {
        const of = readers.of(name)
        return (
          <span title={more.readersBy(of.sse, of.longPoll, of.websocket)}>{count(sum(of), language)}</span>
        )
      },
    },
    {
      key: 'by',
      title: more.readersByTitle,
      wide: true,
      cell: ({ name }) => {
        const { sse, longPoll, websocket } = readers.of(name)
        if (sse + longPoll + websocket === 0) return words.none
        return [sse, longPoll, websocket].map((readers) => count(readers, language)).join(' / ')
      },
    },
    {
      key: 'newest',
      title: words.newest,
      sorts: true,
      medium: true,
      cell: ({ newestTime }) => ageOf(newestTime),
    },
    {
      key: 'oldest',
      title: words.oldest,
      sorts: true,
      wide: true,
      cell: ({ oldestTime, oldest }) => <span title={oldest}>{ageOf(oldestTime)}</span>,
    },
    {
      key: 'retention',
      title: more.retention,
      wide: true,
      cell: ({ retention }) => keptOf(retention, language, more) || words.none,
    },
  ]
  return (
    <>
      <h1>{words.channels}</h1>
      <div class="tools">
        <label class="search">
          {more.findChannels}
          <input type="search" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </label>
        <output>{more.channelsFound(count(rows.length, language), count(channels.size, language))}</output>
        {!hub.complete && <span class="quiet">{more.listing}</span>}
      </div>
      {channels.size === 0 && hub.complete ? (
        <p>
          {words.noChannels} <code>curl -d hello {new URL('channels/demo', document.baseURI).href}</code>
        </p>
      ) : rows.length === 0 && channels.size > 0 ? (
        <p class="quiet">{more.noChannelsFound}</p>
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
