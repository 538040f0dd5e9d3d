/** All that is known of one reader, and the button that disconnects it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { age, bytes, count } from '../format.ts'
import { disconnectReader, hub } from '../hub.ts'
import { speech } from '../language.ts'
import type { Reader } from '../model/readers.ts'
import { INSPECT, transportWord } from '../words-inspect.ts'

export function ReaderDialog({
  reader,
  isHere,
  onDone,
  onClose,
}: {
  reader: Reader
  /** Or it has left in the meantime. */
  isHere: boolean
  onDone: () => void
  onClose: () => void
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [failure, setFailure] = useState('')
  const [busy, setBusy] = useState(false)
  const { words, language } = speech
  const more = INSPECT[language]
  useEffect(() => dialog.current?.showModal(), [])
  const { id, channels, transport, subject, address, since, lag, slowSince, coding, userAgent } = reader
  const facts: readonly (readonly [string, string])[] = [
    [words.transport, transportWord(transport, more)],
    [words.subject, subject === '' ? more.anonymous : subject],
    [words.address, address ?? more.unknown],
    [more.client, userAgent ?? more.unknown],
    [more.opened, since === undefined ? more.unknown : age(since, Date.now(), language)],
    [words.lag, lag === 0 ? more.upToDate : more.behindLong(count(lag, language))],
    [more.cursor, lag === 0 ? more.cursorLive : reader.position],
    [
      words.bytesWaiting,
      slowSince === undefined
        ? bytes(reader.bytesWaiting ?? 0, language)
        : `${bytes(reader.bytesWaiting ?? 0, language)}; ${more.slowFor(age(slowSince, Date.now(), language))}`,
    ],
    [words.coding, coding ?? more.plain],
  ]
  const disconnect = async (): Promise<void> => {
    setBusy(true)
    setFailure('')
    const why = await disconnectReader(id).catch(() => more.unreachable)
    setBusy(false)
    if (why === undefined) {
      onDone()
      dialog.current?.close()
    } else setFailure(more.notDisconnected(why === '' ? more.notThere : why))
  }
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="reader-title" onClose={onClose}>
      <h2 id="reader-title">{more.reader(id)}</h2>
      <dl class="facts">
        <div>
          <dt>{words.channels}</dt>
          <dd class="names" tabIndex={0}>
            {channels.join(', ')}
          </dd>
        </div>
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p>{isHere ? more.disconnectWhat : more.gone}</p>
      <p class="bad" role="alert">
        {failure}
      </p>
      <div class="tools">
        <button
          type="button"
          class="danger"
          disabled={!isHere || busy || hub.phase !== 'live'}
          onClick={() => void disconnect()}
        >
          {words.disconnect}
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          {more.close}
        </button>
      </div>
    </dialog>
  )
}
