/** One channel, or what a pattern matches: its events as they come and as they were, and what can be done with it. */
import { matchesPattern } from '@downlink/wire'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { Following } from '../following.ts'
import { bytes, count } from '../format.ts'
import { hub } from '../hub.ts'
import { keptOf } from '../retention.ts'
import { speech } from '../language.ts'
import type { Line } from '../model/feed.ts'
import { readsSeveral } from '../model/snippets.ts'
import type { Revealed } from '../parts/event-list.tsx'
import { Managing, Publishing } from '../parts/publishing.tsx'
import { Reading } from '../parts/reading.tsx'
import { Snippets } from '../parts/snippets.tsx'
import { useChanging } from '../store.ts'
import { CHANNEL_WORDS } from '../words-channel.ts'
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
