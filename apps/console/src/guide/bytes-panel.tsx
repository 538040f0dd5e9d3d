/** What comes over the wire, comments too: what an EventSource keeps to itself. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { headers, urlOf } from '../hub.ts'
import { speech } from '../language.ts'
import { explain, type Explained } from '../model/stream-lines.ts'
import { Changing, useChanging } from '../store.ts'
import { GUIDE_WORDS } from '../words-guide.ts'
import { endTurn, eraseLater, freshPrefix, problemOf, takeTurn } from './alive.ts'
import { StreamTable } from './stream-table.tsx'

/** More than this nobody reads: then it ends. */
const MOST = 16_000

class Wire extends Changing {
  phase: 'idle' | 'running' | 'over' = 'idle'
  failure = ''
  explained: Explained = explain('')
  /** When each line came: seconds since the beginning. */
  readonly times: string[] = []
  lastAt = 0
  channel = ''
  #text = ''
  #abort = new AbortController()

  readonly stop = (): void => {
    this.#abort.abort()
    if (this.phase === 'running') this.phase = 'over'
    endTurn(this.stop)
    this.changed()
  }

  async start(): Promise<void> {
    this.stop()
    takeTurn(this.stop)
    const abort = new AbortController()
    this.#abort = abort
    this.channel = `${freshPrefix()}heart`
    this.phase = 'running'
    this.failure = ''
    this.#text = ''
    this.times.length = 0
    this.explained = explain('')
    this.changed()
    try {
      await this.#read(abort.signal)
    } catch (error) {
      if (!abort.signal.aborted) this.failure = String(error)
    }
    if (!abort.signal.aborted) this.stop()
  }

  async publish(): Promise<void> {
    eraseLater(this.channel)
    const init = { method: 'POST', headers: headers(), body: 'hello' }
    const response = await fetch(urlOf(`channels/${this.channel}?type=greeting`), init)
    if (response.ok) return
    this.failure = await problemOf(response)
    this.changed()
  }

  async #read(signal: AbortSignal): Promise<void> {
    const began = performance.now()
    const own = { ...headers(), accept: 'text/event-stream' }
    const response = await fetch(urlOf(`channels/${this.channel}`), {
      headers: own,
      signal,
      cache: 'no-store',
    })
    if (!response.ok || response.body === null) throw new Error(await problemOf(response))
    // By a reader: not every browser has loops over streams.
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      this.#text += value
      this.lastAt = performance.now()
      this.explained = explain(this.#text)
      while (this.times.length < this.explained.lines.length)
        this.times.push(((this.lastAt - began) / 1000).toFixed(1))
      this.changed()
      if (this.#text.length > MOST) return await reader.cancel()
    }
  }
}

export function BytesPanel() {
  const wire = useMemo(() => new Wire(), [])
  useChanging(wire)
  useEffect(() => wire.stop, [wire])
  const words = GUIDE_WORDS[speech.language]
  const { phase, explained, failure } = wire
  return (
    <section class="live" aria-label={words.wire}>
      <div class="buttons">
        <button type="button" class="main" onClick={() => void wire.start()}>
          {phase === 'idle' ? words.connect : words.again}
        </button>
        <button type="button" disabled={phase !== 'running'} onClick={wire.stop}>
          {words.stop}
        </button>
        <button type="button" disabled={phase !== 'running'} onClick={() => void wire.publish()}>
          {words.publish}
        </button>
        {phase === 'running' && explained.lines.length > 0 && <Silence wire={wire} />}
      </div>
      {failure !== '' && (
        <p class="bad" role="alert">
          {failure}
        </p>
      )}
      {explained.lines.length > 0 && (
        <StreamTable lines={explained.lines} words={words} label={words.byLine} times={wire.times} />
      )}
      {phase === 'idle' && <p class="summary quiet">{words.wireIdle}</p>}
    </section>
  )
}

function Silence({ wire }: { wire: Wire }) {
  const [now, setNow] = useState(performance.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  const words = GUIDE_WORDS[speech.language]
  return <span class="quiet">{words.silence(Math.max(0, Math.round((now - wire.lastAt) / 1000)))}</span>
}
