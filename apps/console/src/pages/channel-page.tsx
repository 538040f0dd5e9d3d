/** One channel, or what a pattern matches: its events as they come and as they were, and what can be done with it. */
import { matchesPattern } from '@downlink/wire'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Following, type Trouble } from '../following.ts'
import { bytes, count } from '../format.ts'
import { hub } from '../hub.ts'
import { keptOf } from '../retention.ts'
import { speech } from '../language.ts'
import { bytesOf, Filter, type Line, preview, type ToldLine } from '../model/feed.ts'
import { momentOf } from '../model/moment.ts'
import { readsSeveral } from '../model/snippets.ts'
import { EventDetail } from '../parts/event-detail.tsx'
import { EventList, type Revealed } from '../parts/event-list.tsx'
import { Managing, Publishing, Refusal } from '../parts/publishing.tsx'
import { Snippets } from '../parts/snippets.tsx'
import { useChanging } from '../store.ts'
import type { Language } from '../words.ts'
import { CHANNEL_WORDS, type ChannelWords } from '../words-channel.ts'
import './channel.css'

export function ChannelPage({ name }: { name: string }) {
  const following = useMemo(() => new Following(name), [name])
  useEffect(() => {
    following.open()
    return () => following.close()
  }, [following])
  const [selected, setSelected] = useState<Line | undefined>(undefined)
  const { language } = speech
  const words = CHANNEL_WORDS[language]
  const several = readsSeveral(name)
  const [revealed, setRevealed] = useState<Revealed | undefined>(undefined)
  const reveal = (id: string): void => {
    following.hold()
    setSelected(following.feed.lines.find((line) => line.id === id))
    setRevealed({ id })
  }
  const show = async (id: string): Promise<void> => {
    const isThere = following.feed.lines.some((line) => line.id === id)
    const found = isThere ? id : await following.jump(id)
    if (found !== undefined) reveal(found)
  }
  const jump = async (text: string): Promise<boolean> => {
    const found = await following.jump(text)
    if (found !== undefined) reveal(found)
    return found !== undefined
  }
  return (
    <div class="channel-page">
      <header>
        <p class="ch-back">
          <a href="#/channels">← {speech.words.back}</a>
        </p>
        <h1 class="name">{name}</h1>
        {several ? <PatternFacts name={name} /> : <Facts name={name} />}
      </header>
      <Reading
        following={following}
        several={several}
        selected={selected}
        revealed={revealed}
        onSelect={setSelected}
        onJump={jump}
      />
      {several || name.startsWith('$') ? (
        <>
          <p class="quiet">{several ? words.patternNote : words.ownNote}</p>
          <Elsewhere following={following} />
        </>
      ) : (
        <div class="ch-beside">
          <Publishing name={name} onDone={() => following.wake()} onShow={(id) => void show(id)} />
          <div class="ch-stack">
            <Elsewhere following={following} />
            <Managing name={name} onErased={() => following.wake()} />
          </div>
        </div>
      )}
    </div>
  )
}

/** Names the types that have come. */
function Elsewhere({ following }: { following: Following }) {
  useChanging(speech, following)
  return <Snippets name={following.name} types={following.feed.types} />
}

function Facts({ name }: { name: string }) {
  useChanging(hub, speech)
  const { words: common, language } = speech
  const words = CHANNEL_WORDS[language]
  const row = hub.channels.get(name)
  // Its place is kept: what is below must not move when it comes.
  if (!row) return <p class="quiet">…</p>
  const readers = Object.values(hub.readers.of(name)).reduce((sum, some) => sum + some, 0)
  const kept = keptOf(row.retention, language, words)
  return (
    <p class="quiet">
      {common.events}: {count(row.events, language)} · {bytes(row.bytes, language)} · {common.readers}:{' '}
      {count(readers, language)} · {row.ended ? words.ended : words.open}
      {kept !== '' && ` · ${words.keeps(kept)}`}
    </p>
  )
}

function PatternFacts({ name }: { name: string }) {
  useChanging(hub, speech)
  const words = CHANNEL_WORDS[speech.language]
  const parts = name.split(',')
  let matching = 0
  for (const row of hub.channels.all) {
    if (parts.some((part) => part === row.name || matchesPattern(part, row.name))) matching++
  }
  return <p class="quiet">{words.matching(count(matching, speech.language))}</p>
}

function Reading({
  following,
  several,
  selected,
  revealed,
  onSelect,
  onJump,
}: {
  following: Following
  several: boolean
  selected: Line | undefined
  revealed: Revealed | undefined
  onSelect: (line: Line | undefined) => void
  /** Whether there is such a place. */
  onJump: (text: string) => Promise<boolean>
}) {
  useChanging(speech, following)
  const { language } = speech
  const words = CHANNEL_WORDS[language]
  const [filter, setFilter] = useState(() => new Filter('', ''))
  const list = useRef<HTMLDivElement>(null)
  const { feed } = following
  const lines = useMemo(() => filter.of(feed), [filter, feed.version])
  const narrow = useNarrow()
  const row = useMemo(() => rowsOf(language, several), [language, several])
  return (
    <div class={several ? 'ch-reading ch-several' : 'ch-reading'}>
      <div class="tools">
        <label>
          {words.type}
          <select
            value={filter.type}
            onChange={({ currentTarget }) => setFilter(new Filter(currentTarget.value, filter.text))}
          >
            <option value="">{words.all}</option>
            {feed.types.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label class="ch-search">
          {speech.words.filter}
          <input
            type="search"
            value={filter.text}
            placeholder={words.findEvents}
            onInput={({ currentTarget }) => setFilter(new Filter(filter.type, currentTarget.value))}
          />
        </label>
        <button
          type="button"
          class={following.paused ? 'ch-main' : undefined}
          onClick={() => following.pause(!following.paused)}
        >
          {following.paused ? words.goOn : words.pause}
        </button>
        <JumpForm
          onJump={async (text) => {
            if (await onJump(text)) list.current?.querySelector<HTMLElement>('[role=listbox]')?.focus()
          }}
        />
      </div>
      <div class="ch-beside ch-wide-first">
        <div class="ch-list-frame" ref={list}>
          <div class="ch-list-head">
            <button
              type="button"
              class="ch-link"
              aria-disabled={following.reading !== undefined || feed.begin !== undefined}
              onClick={() => void following.older()}
            >
              ↑ {following.reading ? words.reading : words.older}
            </button>
            {following.paused && (
              <span>{feed.came > 0 ? words.pausedCame(count(feed.came, language)) : words.paused}</span>
            )}
            <output>{troubleOf(following, words)}</output>
          </div>
          <div class="ch-list-body">
            <EventList
              lines={lines}
              row={row}
              rowHeight={narrow ? 50 : 30}
              label={words.events}
              selected={selected?.id}
              revealed={revealed}
              sticks={following.sticks}
              onSelect={(line) => {
                if (line) following.hold()
                onSelect(line)
              }}
              onSee={(atEnd) => following.see(atEnd)}
              onForward={() => following.forward()}
              onNearTop={() => void following.older()}
              onShort={() => {
                // Not while the first are on their way, and not for what a filter leaves out.
                if (filter.isOpen && feed.first && !following.trouble) void following.older()
              }}
            />
            {lines.every(({ kind }) => kind !== 'event') && (
              <p class="quiet ch-empty">
                {filter.isOpen ? words.noneYet : words.noneFound(count(feed.lines.length, language))}
              </p>
            )}
            {!following.sticks && (
              <button
                type="button"
                class="ch-newest ch-main"
                onClick={() => {
                  onSelect(undefined)
                  following.toNewest()
                }}
              >
                ↓ {feed.came > 0 ? words.newestCame(count(feed.came, language)) : words.newest}
              </button>
            )}
          </div>
        </div>
        <EventDetail
          line={selected?.kind === 'event' ? selected : undefined}
          onClose={() => {
            onSelect(undefined)
            list.current?.querySelector<HTMLElement>('[role=listbox]')?.focus()
          }}
        />
      </div>
    </div>
  )
}

/** A line is made once: most of those in sight were there in the frame before. */
function rowsOf(language: Language, several: boolean): (line: Line) => VNode {
  const words = CHANNEL_WORDS[language]
  const known = new WeakMap<Line, VNode>()
  return (line) => {
    let row = known.get(line)
    if (row === undefined) known.set(line, (row = rowOf(line, words, language, several)))
    return row
  }
}

function rowOf(line: Line, words: ChannelWords, language: Language, several: boolean): VNode {
  if (line.kind !== 'event') return <span class="ch-told">{toldOf(line, words, several)}</span>
  return (
    <>
      <time>{momentOf(line.time, language)}</time>
      <span class={line.type === 'message' ? 'ch-type ch-plain' : 'ch-type'}>{line.type}</span>
      {several && <span class="ch-channel">{line.channel}</span>}
      <span class="ch-preview">{preview(line.data)}</span>
      <span class="ch-size">{bytes(bytesOf(line), language)}</span>
    </>
  )
}

/** What could not be done. What is counted is not told here: a screen reader would never come to an end. */
function troubleOf(following: Following, words: ChannelWords): ComponentChildren {
  const { refused, trouble } = following
  if (refused && following.phase === 'closed') {
    return (
      <>
        {words.stopped} <Said trouble={refused} />
      </>
    )
  }
  return trouble ? <Said trouble={trouble} /> : ''
}

function Said({ trouble }: { trouble: Trouble }) {
  const words = CHANNEL_WORDS[speech.language]
  switch (trouble.kind) {
    case 'cursor':
      return <span class="bad">{words.noCursor}</span>
    case 'foreign':
      return <span class="bad">{words.foreign}</span>
    case 'unreachable':
      return <span class="bad">{words.unreachable}</span>
    case 'refused':
      return <Refusal status={trouble.status} detail={trouble.detail} />
  }
}

function JumpForm({ onJump }: { onJump: (text: string) => Promise<void> }) {
  const words = CHANNEL_WORDS[speech.language]
  const [text, setText] = useState('')
  return (
    <form
      class="ch-jump"
      onSubmit={(event) => {
        event.preventDefault()
        void onJump(text)
      }}
    >
      <label>
        {words.jump}
        <input
          value={text}
          autocomplete="off"
          spellcheck={false}
          placeholder="kV3q9Zt2-1041"
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <button type="submit">{words.go}</button>
    </form>
  )
}

function toldOf({ kind, reason, channels }: ToldLine, words: ChannelWords, several: boolean): string {
  const which = several && channels.length > 0 ? ` (${channels.slice(0, 5).join(', ')})` : ''
  return `${textOf(kind, reason, words)}${which}`
}

function textOf(kind: ToldLine['kind'], reason: string, words: ChannelWords): string {
  if (kind === 'end') return words.endTold
  const [trimmed, deleted, unknown] =
    kind === 'begin'
      ? [words.beginTrimmed, words.beginDeleted, words.beginUnknown]
      : [words.gapTrimmed, words.gapDeleted, words.gapUnknown]
  switch (reason) {
    case '':
      return words.begin
    case 'trimmed':
      return trimmed
    case 'deleted':
      return deleted
    case 'epoch':
      return words.gapEpoch
    default:
      return unknown
  }
}

const NARROW = matchMedia('(max-width: 40rem)')

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(NARROW.matches)
  useEffect(() => {
    const look = (): void => setNarrow(NARROW.matches)
    NARROW.addEventListener('change', look)
    return () => NARROW.removeEventListener('change', look)
  }, [])
  return narrow
}
