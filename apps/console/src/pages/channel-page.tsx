/** One channel: its events as they come, and what can be done with it. */
import { subscribe } from '@downlink/client'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { bytes, clock, count } from '../format.ts'
import { headers, hub, send, urlOf } from '../hub.ts'
import { speech } from '../language.ts'
import { Feed, type Line, pretty } from '../model/feed.ts'
import { snippet, type SnippetKind } from '../model/snippets.ts'
import { Changing, useChanging } from '../store.ts'

const SNIPPETS: readonly SnippetKind[] = ['curl', 'EventSource', 'subscribe']

class Following extends Changing {
  readonly feed = new Feed()
}

function useFeed(name: string): Following {
  const following = useMemo(() => new Following(), [name])
  useEffect(() => {
    const updates = subscribe(urlOf(`channels/${encodeURIComponent(name)}?fields=time`), {
      last: 100,
      headers,
    })
    const tell = (line: Line): void => {
      following.feed.tell(line)
      following.changed()
    }
    updates.on('event', ({ id, type, data, time }) =>
      tell({ kind: 'event', id, type, data, time: time ?? '' }),
    )
    updates.on('gap', ({ reason, to }) => tell({ kind: 'gap', id: `gap ${to}`, reason }))
    updates.on('end', () => tell({ kind: 'end', id: 'end', reason: '' }))
    updates.on('error', (error) => console.warn(error))
    return () => updates.close()
  }, [following])
  return following
}

export function ChannelPage({ name }: { name: string }) {
  const following = useFeed(name)
  useChanging(hub, speech, following)
  const [type, setType] = useState('')
  const [text, setText] = useState('')
  const [asJson, setAsJson] = useState(true)
  const { words, language } = speech
  const { feed } = following
  const row = hub.channels.get(name)
  const readers = hub.readers.of(name)
  const lines = feed.find(type, text)
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    // Stays at the newest, unless somebody has scrolled away from it.
    const element = list.current
    if (element && element.scrollHeight - element.scrollTop - element.clientHeight < 200)
      element.scrollTop = element.scrollHeight
  }, [lines.length])
  return (
    <>
      <p>
        <a href="#/channels">← {words.back}</a>
      </p>
      <h1 class="name">{name}</h1>
      {row && (
        <p class="quiet">
          {words.events}: {count(row.events, language)} · {words.bytes}: {bytes(row.bytes, language)} ·{' '}
          {words.readers}: {count(readers.sse + readers.longPoll, language)} ·{' '}
          {row.ended ? words.ended : words.open}
        </p>
      )}
      <div class="tools">
        <label>
          {words.type}
          <select value={type} onChange={({ currentTarget }) => setType(currentTarget.value)}>
            <option value="">{words.all}</option>
            {feed.types.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          {words.filter}
          <input type="search" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </label>
        <button type="button" aria-pressed={asJson} onClick={() => setAsJson(!asJson)}>
          {words.pretty}
        </button>
        <button
          type="button"
          aria-pressed={feed.paused}
          onClick={() => {
            if (feed.paused) feed.resume()
            else feed.pause()
            following.changed()
          }}
        >
          {feed.paused ? words.resume : words.pause}
        </button>
        <output>{feed.paused ? words.paused(feed.held) : ''}</output>
      </div>
      <ol class="events" ref={list} tabIndex={0} aria-label={words.events}>
        {lines.length === 0 && <li class="quiet">{words.noEvents}</li>}
        {lines.map((line) =>
          line.kind === 'event' ? (
            <li key={line.id}>
              <header>
                <time dateTime={line.time}>{clock(line.time, language)}</time>
                {line.type !== 'message' && <strong>{line.type}</strong>}
                <code>{line.id}</code>
              </header>
              <pre>{asJson ? pretty(line.data) : line.data}</pre>
            </li>
          ) : (
            <li key={line.id} class="told">
              {line.kind === 'gap' ? words.gap(line.reason) : words.endTold}
            </li>
          ),
        )}
      </ol>
      <Publishing name={name} />
      <Snippets name={name} />
    </>
  )
}

function Publishing({ name }: { name: string }) {
  const { words } = speech
  const [data, setData] = useState('')
  const [type, setType] = useState('')
  const [said, setSaid] = useState('')
  const path = `channels/${encodeURIComponent(name)}`
  const act = async (method: 'POST' | 'DELETE', to: string, body?: string): Promise<void> => {
    setSaid((await send(method, to, body)) ?? words.published)
  }
  return (
    <form
      class="publishing"
      onSubmit={(event) => {
        event.preventDefault()
        void act('POST', type === '' ? path : `${path}?type=${encodeURIComponent(type)}`, data)
      }}
    >
      <label>
        {words.type}
        <input value={type} onInput={({ currentTarget }) => setType(currentTarget.value)} />
      </label>
      <label class="data">
        {words.data}
        <textarea rows={2} value={data} onInput={({ currentTarget }) => setData(currentTarget.value)} />
      </label>
      <button type="submit">{words.publish}</button>
      <button
        type="button"
        onClick={() => {
          if (confirm(words.sureEnd(name))) void act('POST', `${path}?end`)
        }}
      >
        {words.end}
      </button>
      <button
        type="button"
        class="bad"
        onClick={() => {
          if (confirm(words.sureErase(name))) void act('DELETE', path)
        }}
      >
        {words.erase}
      </button>
      <output>{said}</output>
    </form>
  )
}

function Snippets({ name }: { name: string }) {
  const { words } = speech
  const [kind, setKind] = useState<SnippetKind>('curl')
  const [copied, setCopied] = useState(false)
  const text = snippet(kind, urlOf('').replace(/\/$/, ''), name)
  return (
    <section class="snippets">
      <h2>{words.read}</h2>
      <div class="tools">
        {SNIPPETS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === kind}
            onClick={() => {
              setKind(one)
              setCopied(false)
            }}
          >
            {one}
          </button>
        ))}
        <button
          type="button"
          onClick={() => {
            void navigator.clipboard?.writeText(text).then(() => setCopied(true))
          }}
        >
          {copied ? words.copied : words.copy}
        </button>
      </div>
      <pre>{text}</pre>
    </section>
  )
}
