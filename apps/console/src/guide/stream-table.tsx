/** A stream, line by line, with what each line means, and the events where they are sent. */
import { type Meaning, NUL_SIGN, type StreamLine } from '../model/stream-lines.ts'
import type { GuideWords } from '../words-guide.ts'

/** Meanings that make nothing. */
const IGNORED: ReadonlySet<Meaning> = new Set(['unknown', 'bad-retry', 'bad-id', 'no-data', 'cut', 'blank'])

export function StreamTable({
  lines,
  words,
  label,
  times,
}: {
  lines: readonly StreamLine[]
  words: GuideWords
  label: string
  /** When each line came, as text. */
  times?: readonly string[]
}) {
  return (
    <div class="lines" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{times ? words.when : words.line}</th>
            <th scope="col">{words.stream}</th>
            <th scope="col">{words.meaning}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, at) => (
            <Line key={at} line={line} first={times?.[at] ?? `${at + 1}`} words={words} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Line({ line, first, words }: { line: StreamLine; first: string; words: GuideWords }) {
  const { meaning, lost, event } = line
  const ignored = IGNORED.has(meaning) || (lost && meaning !== 'comment')
  return (
    <>
      <tr class={`m-${meaning}${ignored ? ' ignored' : ''}`}>
        <td class="numeric">{first}</td>
        <td>
          <code>
            <Raw line={line} />
          </code>
        </td>
        <td>
          {words.meanings[meaning]}
          {lost && meaning !== 'cut' && ` ${words.lost}`}
        </td>
      </tr>
      {event && (
        <tr class="sent">
          <td />
          <td colSpan={2}>
            <strong>{event.type}</strong>{' '}
            <code>{event.data === '' ? words.emptyText : visible(event.data)}</code>
            {event.lastEventId !== '' && (
              <>
                {' '}
                · lastEventId <code>{event.lastEventId}</code>
              </>
            )}
          </td>
        </tr>
      )}
    </>
  )
}

function Raw({ line: { text, field, space, value, end, mark, meaning } }: { line: StreamLine }) {
  const colon = text.length > field.length
  const whole = meaning === 'unknown' || meaning === 'comment' || !colon
  return (
    <>
      {mark && <i>BOM</i>}
      {whole ? (
        <b>{visible(text)}</b>
      ) : (
        <>
          <b>{visible(field)}</b>:{space && <i>␣</i>}
          {visible(value)}
        </>
      )}
      {end !== '' && <i>{end}</i>}
    </>
  )
}

function visible(text: string): string {
  return text.replaceAll('\0', NUL_SIGN).replaceAll('\t', '«TAB»').replaceAll('\uFEFF', '«BOM»')
}
