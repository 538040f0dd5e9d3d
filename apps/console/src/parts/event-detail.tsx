/** One event, whole. */
import { useState } from 'preact/hooks'
import { bytes, clock, count } from '../format.ts'
import { speech } from '../language.ts'
import { bytesOf, type EventLine, isJson, pretty } from '../model/feed.ts'
import { dayOf } from '../model/moment.ts'
import { CHANNEL_WORDS } from '../words-channel.ts'
import { CopyButton } from './copy-button.tsx'

/** Characters that are shown of one event. */
const SHOWN = 50_000

export function EventDetail({ line, onClose }: { line: EventLine | undefined; onClose: () => void }) {
  const [asJson, setAsJson] = useState(true)
  const { language } = speech
  const words = CHANNEL_WORDS[language]
  if (!line) {
    return (
      <section class="ch-event-detail" aria-label={words.selected}>
        <p class="quiet">{words.selectHint}</p>
      </section>
    )
  }
  const json = isJson(line.data)
  const whole = json && asJson ? pretty(line.data) : line.data
  return (
    <section class="ch-event-detail" aria-label={words.selected}>
      <header>
        <h2>{line.type}</h2>
        <button type="button" onClick={onClose}>
          {words.unselect}
        </button>
      </header>
      <dl>
        <dt>{words.cursor}</dt>
        <dd>
          <code>{line.id}</code>
        </dd>
        <dt>{words.time}</dt>
        <dd>
          <time dateTime={line.time} title={line.time}>
            {dayOf(line.time, language)}, {clock(line.time, language)}
          </time>
        </dd>
        <dt>{words.channel}</dt>
        <dd>{line.channel}</dd>
        <dt>{words.size}</dt>
        <dd>{bytes(bytesOf(line), language)}</dd>
      </dl>
      <div class="tools">
        {json && (
          <div role="group" aria-label={words.form} class="ch-choice">
            <button type="button" aria-pressed={asJson} onClick={() => setAsJson(true)}>
              {words.pretty}
            </button>
            <button type="button" aria-pressed={!asJson} onClick={() => setAsJson(false)}>
              {words.raw}
            </button>
          </div>
        )}
        <CopyButton text={line.data} title={words.copyData} />
        <CopyButton text={line.id} title={words.copyId} />
      </div>
      <pre tabIndex={0} aria-label={words.data}>
        {whole.slice(0, SHOWN)}
      </pre>
      {whole.length > SHOWN && (
        <p class="quiet">{words.cut(count(SHOWN, language), count(whole.length, language))}</p>
      )}
    </section>
  )
}
