/** Who is connected. */
import { useState } from 'preact/hooks'
import { age, bytes, count } from '../format.ts'
import { hub } from '../hub.ts'
import { speech } from '../language.ts'
import { agentName, findReaders, type ReaderSort } from '../model/reader-search.ts'
import { type Reader, type Transport, TRANSPORTS } from '../model/readers.ts'
import { ReaderDialog } from '../parts/reader-dialog.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { useChanging } from '../store.ts'
import { INSPECT, transportWord } from '../words-inspect.ts'
import './inspect.css'

/** Channels of a reader that are shown where one points at its row. */
const SHOWN = 50
/** What is more at the beginning when it goes down is more interesting. */
const DOWN_FIRST: readonly ReaderSort[] = ['since', 'lag', 'waiting']

export function ReadersPage() {
  useChanging(hub, speech)
  const [text, setText] = useState('')
  const [transport, setTransport] = useState<Transport | undefined>(undefined)
  const [[sort, descending], setSort] = useState<readonly [ReaderSort, boolean]>(['id', false])
  const [asked, ask] = useState<Reader | undefined>(undefined)
  const [done, setDone] = useState('')
  const { words, language } = speech
  const more = INSPECT[language]
  const { readers } = hub
  const rows = findReaders(readers.all, { text, transport, sort, descending })
  const now = Date.now()
  const columns: readonly Column<Reader>[] = [
    {
      key: 'channels',
      title: words.channels,
      sorts: true,
      cell: (reader) => (
        <span class="named">
          <button
            type="button"
            class="link"
            aria-haspopup="dialog"
            title={reader.channels.slice(0, SHOWN).join('\n')}
            onClick={() => ask(reader)}
          >
            {reader.channels[0]}
          </button>
          {reader.channels.length > 1 && (
            <span class="badge" title={more.andMore(reader.channels.length - 1)}>
              +{count(reader.channels.length - 1, language)}
            </span>
          )}
        </span>
      ),
    },
    {
      key: 'transport',
      title: words.transport,
      sorts: true,
      cell: ({ transport: by }) => transportWord(by, more),
    },
    {
      key: 'lag',
      title: words.lag,
      sorts: true,
      numeric: true,
      cell: ({ lag, slowSince }) => (
        <span class={slowSince === undefined ? undefined : 'bad'}>
          {lag === 0 ? more.upToDate : count(lag, language)}
        </span>
      ),
    },
    {
      key: 'waiting',
      title: words.bytesWaiting,
      sorts: true,
      numeric: true,
      wide: true,
      cell: ({ bytesWaiting }) => (bytesWaiting ? bytes(bytesWaiting, language) : words.none),
    },
    {
      key: 'since',
      title: more.opened,
      sorts: true,
      medium: true,
      cell: ({ since }) => (since === undefined ? words.none : age(since, now, language)),
    },
    {
      key: 'subject',
      title: words.subject,
      sorts: true,
      medium: true,
      cell: ({ subject }) => <Short text={subject} none={words.none} />,
    },
    {
      key: 'address',
      title: words.address,
      sorts: true,
      wide: true,
      cell: ({ address }) => <Short text={address ?? ''} none={words.none} />,
    },
    {
      key: 'agent',
      title: more.client,
      sorts: true,
      wide: true,
      cell: ({ userAgent = '' }) => <Short text={agentName(userAgent)} none={words.none} title={userAgent} />,
    },
    { key: 'coding', title: words.coding, wide: true, cell: ({ coding }) => coding ?? words.none },
    {
      key: 'disconnect',
      title: more.actions,
      medium: true,
      cell: (reader) => (
        <button
          type="button"
          aria-haspopup="dialog"
          aria-label={`${words.disconnect}: ${more.reader(reader.id)}`}
          onClick={() => ask(reader)}
        >
          {words.disconnect}
        </button>
      ),
    },
  ]
  return (
    <>
      <h1>{words.readers}</h1>
      <div class="tools">
        <label class="search">
          {more.findReaders}
          <input type="search" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </label>
        <label>
          {words.transport}
          <select
            value={transport ?? ''}
            onChange={({ currentTarget }) => {
              setTransport(TRANSPORTS.find((one) => one === currentTarget.value))
            }}
          >
            <option value="">{more.anyTransport}</option>
            {TRANSPORTS.map((one) => (
              <option key={one} value={one}>
                {transportWord(one, more)}
              </option>
            ))}
          </select>
        </label>
        <output>{more.readersFound(count(rows.length, language), count(readers.size, language))}</output>
      </div>
      {readers.size === 0 ? (
        <p class="quiet">{hub.complete ? words.noReaders : more.listing}</p>
      ) : rows.length === 0 ? (
        <p class="quiet">{more.noReadersFound}</p>
      ) : (
        <Table
          caption={words.readers}
          columns={columns}
          rows={rows}
          keyOf={({ id }) => id}
          sort={sort}
          descending={descending}
          onSort={(key) => {
            const by = key as ReaderSort
            setSort([by, sort === by ? !descending : DOWN_FIRST.includes(by)])
          }}
        />
      )}
      {readers.untold > 0 && <p class="quiet">{more.untoldReaders(count(readers.untold, language))}</p>}
      <p class="quiet" role="status">
        {done}
      </p>
      {asked && (
        <ReaderDialog
          reader={readers.get(asked.id) ?? asked}
          isHere={readers.get(asked.id) !== undefined}
          onDone={() => setDone(more.disconnected(asked.id))}
          onClose={() => ask(undefined)}
        />
      )}
    </>
  )
}

function Short({ text, none, title = text }: { text: string; none: string; title?: string }) {
  return (
    <span class="short" title={title === '' ? undefined : title}>
      {text === '' ? none : text}
    </span>
  )
}
