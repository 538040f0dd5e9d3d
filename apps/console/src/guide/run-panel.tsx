/** A script of the guide with a button to run it, what it prints, and what can be done to its connection. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { speech } from '../language.ts'
import { linkTo } from '../route.ts'
import { useChanging } from '../store.ts'
import { GUIDE_WORDS, type GuideWords } from '../words-guide.ts'
import type { Part, Script } from './chapter.ts'
import { Log } from './log.tsx'
import { Run, STATES } from './run.ts'

export function RunPanel({ part, script }: { part: Part & { kind: 'run' }; script: Script }) {
  const run = useMemo(() => new Run(), [])
  useChanging(run)
  useEffect(() => run.stop, [run])
  const words = GUIDE_WORDS[speech.language]
  const { phase } = run
  return (
    <div class="live">
      <div class="buttons">
        <button type="button" class="main" onClick={() => void run.start(script, part.setup, part.sources)}>
          {phase === 'idle' ? words.run : words.again}
        </button>
        {part.sources > 0 && phase !== 'idle' && (
          <button type="button" disabled={phase !== 'running'} onClick={run.stop}>
            {words.stop}
          </button>
        )}
        <Facts run={run} words={words} />
      </div>
      {phase === 'idle' ? (
        part.output !== '' && (
          <div class="log expected">
            <small>{words.prints}</small>
            <pre>{part.output}</pre>
          </div>
        )
      ) : (
        <Log lines={run.lines} label={words.log} empty={words.nothing} />
      )}
      {part.sources > 0 && phase !== 'idle' && <Controls run={run} words={words} />}
    </div>
  )
}

function Facts({ run: { state, phase }, words }: { run: Run; words: GuideWords }) {
  if (state === undefined || phase === 'idle') return null
  const { readyState, opened, away, lastEventId, lostAt } = state
  const name = STATES[readyState as 0 | 1 | 2]
  return (
    <div class="facts">
      <dl>
        <div>
          <dt>readyState</dt>
          <dd class={`state-${readyState}`}>
            {readyState} {name}
          </dd>
        </div>
        {lastEventId !== '' && (
          <div>
            <dt>{words.lastEventId}</dt>
            <dd>{lastEventId}</dd>
          </div>
        )}
        {opened > 1 && (
          <div>
            <dt>{words.connections}</dt>
            <dd>{opened}</dd>
          </div>
        )}
      </dl>
      {lostAt !== undefined && readyState === 0 && <span>{words.waiting}</span>}
      {away !== undefined && lostAt === undefined && (
        <span>
          {words.away(
            new Intl.NumberFormat(speech.language, { maximumFractionDigits: 1 }).format(away / 1000),
          )}
        </span>
      )}
    </div>
  )
}

/** To play on when the script has had its say. */
function Controls({ run, words }: { run: Run; words: GuideWords }) {
  const [data, setData] = useState('hello')
  const [type, setType] = useState('')
  const [chosen, setChosen] = useState('')
  const [channel = ''] = run.channels
  const to = run.channels.includes(chosen) ? chosen : channel
  const types = run.types.filter((one) => !one.startsWith('downlink:') && !run.channels.includes(one))
  if (channel === '') return null
  return (
    <form
      class="controls"
      onSubmit={(event) => {
        event.preventDefault()
        run.act(() => run.publish(to, data, type === '' ? undefined : type))
      }}
    >
      {run.channels.length > 1 && (
        <label>
          {words.channel}
          <select value={to} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
            {run.channels.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      )}
      {types.length > 0 && (
        <label>
          {words.type}
          <select value={type} onChange={({ currentTarget }) => setType(currentTarget.value)}>
            <option value="">{words.noType}</option>
            {types.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      )}
      <label class="data">
        {words.data}
        <input value={data} onInput={({ currentTarget }) => setData(currentTarget.value)} />
      </label>
      <button type="submit">{words.publish}</button>
      <button
        type="button"
        disabled={run.phase !== 'running'}
        onClick={() => run.act(() => run.disconnect(to))}
      >
        {words.cut}
      </button>
      <a href={linkTo(run.nameOf(to))}>{words.look}</a>
    </form>
  )
}
