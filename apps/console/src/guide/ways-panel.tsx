/** Polling, long polling and Server-Sent Events on the same events, side by side. */
import { useEffect, useMemo } from 'preact/hooks'
import { milliseconds } from '../format.ts'
import { speech } from '../language.ts'
import { type Note, WAYS } from '../model/ways.ts'
import { useChanging } from '../store.ts'
import { GUIDE_WORDS, type GuideWords } from '../words-guide.ts'
import { Ways } from './ways.ts'

const PERIODS = [1000, 2000, 5000, 10_000]
const SHOWN = 8

export function WaysPanel() {
  const ways = useMemo(() => new Ways(), [])
  useChanging(ways)
  useEffect(() => ways.stop, [ways])
  const { language } = speech
  const words = GUIDE_WORDS[language]
  const { phase, tallies, failure } = ways
  return (
    <section class="live" aria-label={words.ways}>
      <div class="buttons">
        <button type="button" class="main" onClick={() => void ways.start()}>
          {phase === 'idle' ? words.start : words.again}
        </button>
        <button type="button" disabled={phase !== 'running'} onClick={ways.stop}>
          {words.stop}
        </button>
        <button type="button" disabled={phase !== 'running'} onClick={() => void ways.publish()}>
          {words.publishOne}
        </button>
        <label>
          {words.every}
          <select
            value={ways.everyMs}
            onChange={({ currentTarget }) => {
              ways.everyMs = Number(currentTarget.value)
              ways.changed()
            }}
          >
            {PERIODS.map((period) => (
              <option key={period} value={period}>
                {period / 1000} {words.seconds}
              </option>
            ))}
          </select>
        </label>
      </div>
      {failure !== '' && (
        <p class="bad" role="alert">
          {failure}
        </p>
      )}
      {phase === 'idle' ? (
        <p class="summary quiet">{words.waysIdle}</p>
      ) : (
        <div class="ways">
          {WAYS.map((way) => {
            const { requests, empty, events, meanLate, notes } = tallies[way]
            return (
              <div key={way} class={`way of-${way}`} role="group" aria-label={words.wayNames[way]}>
                <strong>{words.wayNames[way]}</strong>
                <dl>
                  <dt>{words.requests}</dt>
                  <dd>{requests}</dd>
                  <dt>{words.empty}</dt>
                  <dd>{way === 'sse' ? '–' : empty}</dd>
                  <dt>{words.eventsSeen}</dt>
                  <dd>
                    {events} / {ways.published}
                  </dd>
                  <dt>{words.late}</dt>
                  <dd>{meanLate === undefined ? '–' : milliseconds(meanLate, language)}</dd>
                </dl>
                <ol aria-label={words.log}>
                  {notes.slice(-SHOWN).map((note) => (
                    <li key={note.key} class={note.kind}>
                      <time>{(note.at / 1000).toFixed(1)}</time> {noteText(note, words)}
                    </li>
                  ))}
                </ol>
              </div>
            )
          })}
        </div>
      )}
      <p class="summary">
        {words.toLab} <a href="#/lab">{words.lab}</a>
      </p>
    </section>
  )
}

function noteText({ kind, text, late = 0 }: Note, words: GuideWords): string {
  switch (kind) {
    case 'asked':
      return words.asked
    case 'nothing':
      return words.nothingNew
    case 'opened':
      return words.staysOpen
    case 'event':
      return words.cameLate(text, milliseconds(late, speech.language))
    case 'failed':
      return text
  }
}
