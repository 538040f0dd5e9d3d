/** The events of a channel, with what finds one among them, and the one that was chosen. */
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Following, Trouble } from '../following.ts'
import { count } from '../format.ts'
import { speech } from '../language.ts'
import { Filter } from '../model/event-filter.ts'
import type { Line } from '../model/feed.ts'
import { useChanging } from '../store.ts'
import { CHANNEL_WORDS, type ChannelWords } from '../words-channel.ts'
import { EventDetail } from './event-detail.tsx'
import { EventList, type Revealed } from './event-list.tsx'
import { rowsOf } from './event-row.tsx'
import { Refusal } from './publishing.tsx'

export function Reading({
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
