/** A box where one types a stream, and sees what the parser makes of it. */
import { useId, useMemo, useRef, useState } from 'preact/hooks'
import { speech } from '../language.ts'
import { CR_SIGN, explain, NUL_SIGN, streamOf, type Typed } from '../model/stream-lines.ts'
import { GUIDE_WORDS } from '../words-guide.ts'
import { PRESETS, type PresetName } from './presets.ts'
import { StreamTable } from './stream-table.tsx'

const MOST = 4000

export function ParserPanel() {
  const words = GUIDE_WORDS[speech.language]
  const [typed, setTyped] = useState<Typed>(PRESETS.fields)
  const [preset, setPreset] = useState<PresetName | ''>('fields')
  const box = useRef<HTMLTextAreaElement>(null)
  const hint = useId()
  const explained = useMemo(() => explain(streamOf(typed)), [typed])
  const change = (more: Partial<Typed>): void => {
    setTyped({ ...typed, ...more })
    setPreset('')
  }
  const insert = (sign: string): void => {
    const { current } = box
    if (!current || current.value.length >= MOST) return
    current.setRangeText(sign, current.selectionStart, current.selectionEnd, 'end')
    current.focus()
    change({ text: current.value })
  }
  const { events, lastEventId, retry } = explained
  return (
    <section class="live parser" aria-label={words.box}>
      <div class="buttons">
        <label>
          {words.preset}
          <select
            value={preset}
            onChange={({ currentTarget }) => {
              const name = currentTarget.value as PresetName
              setPreset(name)
              setTyped(PRESETS[name])
            }}
          >
            {preset === '' && <option value="">{words.own}</option>}
            {(Object.keys(PRESETS) as PresetName[]).map((name) => (
              <option key={name} value={name}>
                {words.presets[name]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.lineEnds}
          <select
            value={typed.lineEnd}
            onChange={({ currentTarget }) => change({ lineEnd: currentTarget.value as Typed['lineEnd'] })}
          >
            <option>LF</option>
            <option>CRLF</option>
            <option>CR</option>
          </select>
        </label>
        <button type="button" aria-pressed={typed.mark} onClick={() => change({ mark: !typed.mark })}>
          BOM
        </button>
        <button type="button" onClick={() => insert(NUL_SIGN)}>
          {NUL_SIGN}
        </button>
        <button type="button" onClick={() => insert(CR_SIGN)}>
          {CR_SIGN}
        </button>
      </div>
      <div class="typed">
        <label>
          {words.type_}
          <textarea
            ref={box}
            rows={10}
            maxLength={MOST}
            spellcheck={false}
            autocapitalize="off"
            aria-describedby={hint}
            value={typed.text}
            onInput={({ currentTarget }) => change({ text: currentTarget.value })}
          />
        </label>
        <p id={hint} class="quiet">
          {words.signs}
        </p>
      </div>
      <StreamTable lines={explained.lines} words={words} label={words.made} />
      <p class="summary" role="status">
        {words.summary(events)} · {words.lastEventId}: <code>{lastEventId === '' ? '–' : lastEventId}</code> ·{' '}
        {words.retry}: {retry === undefined ? words.ownRetry : `${retry} ms`}
      </p>
    </section>
  )
}
