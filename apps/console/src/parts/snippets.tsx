/** How to read the same from elsewhere, to copy. */
import { useState } from 'preact/hooks'
import { token, urlOf } from '../hub.ts'
import { speech } from '../language.ts'
import { snippet, type SnippetKind } from '../model/snippets.ts'
import { CHANNEL_WORDS } from '../words-channel.ts'
import { CopyButton } from './copy-button.tsx'

const KINDS: readonly (readonly [SnippetKind, string])[] = [
  ['curl', 'curl'],
  ['EventSource', 'EventSource'],
  ['subscribe', 'subscribe()'],
]

export function Snippets({ name, types }: { name: string; types: readonly string[] }) {
  const words = CHANNEL_WORDS[speech.language]
  const [kind, setKind] = useState<SnippetKind>('curl')
  const base = urlOf('').replace(/\/$/, '')
  const text = snippet(kind, { base, channels: name, types, withToken: token() !== '' })
  return (
    <section class="ch-snippets ch-sheet" aria-label={words.snippets}>
      <h2>{words.snippets}</h2>
      <div class="tools">
        <div role="group" aria-label={words.snippetKind} class="ch-choice">
          {KINDS.map(([one, title]) => (
            <button key={one} type="button" aria-pressed={one === kind} onClick={() => setKind(one)}>
              {title}
            </button>
          ))}
        </div>
        <CopyButton text={text} title={words.copy} />
      </div>
      <pre tabIndex={0} aria-label={kind}>
        {text}
      </pre>
    </section>
  )
}
