/** Start and stop, how far a run is, and what the hub refuses. */
import { useEffect, useRef } from 'preact/hooks'
import type { Refusal } from '../../lab/ask.ts'
import { lab } from '../../lab/run.ts'
import { speech } from '../../language.ts'
import { form } from '../../lab/draft.ts'
import type { Fault, Field } from '../../model/lab-form.ts'
import { LAB_WORDS, type LabWords } from '../../words-lab.ts'

/** Of each way that is measured by itself, at the end. */
const CPU_SECONDS = 2

export function Progress({ faults }: { faults: ReadonlyMap<Field, Fault> }) {
  const words = LAB_WORDS[speech.language]
  const { report, running, starting, refusal } = lab
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // What is seen next comes below: on a phone, out of sight.
    if (!running || !place.current || place.current.getBoundingClientRect().top < innerHeight / 2) return
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    place.current.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' })
  }, [running])
  return (
    <div class="lab-progress" ref={place}>
      <div class="tools">
        {/* One button, so that the focus stays on it. */}
        <button
          type={running ? 'button' : 'submit'}
          class="main"
          aria-disabled={starting}
          onClick={(event) => {
            if (!running) return
            event.preventDefault()
            void lab.stop()
          }}
        >
          {running ? words.stop : report ? words.again : words.start}
        </button>
        {running && report ? (
          <>
            <progress
              aria-label={words.run}
              max={report.settings.seconds}
              value={Math.min(report.settings.seconds, report.elapsed / 1000)}
            />
            {report.state === 'running' && (
              <span class="numeric">
                {words.running(
                  words.figures.time(Math.round(report.elapsed / 1000) * 1000),
                  words.figures.time(report.settings.seconds * 1000),
                )}
              </span>
            )}
          </>
        ) : (
          <span class="quiet">{takes(words)}</span>
        )}
      </div>
      <p role="status">
        {faults.size > 0 && !running ? <span class="bad">{words.faults(faults.size)}</span> : said(words)}
      </p>
      {refusal && <Refused refusal={refusal} />}
    </div>
  )
}

function takes(words: LabWords): string {
  const { checked } = form
  if ('faults' in checked) return ''
  const { seconds, cpu, clients, techniques } = checked.settings
  const after = cpu && clients > 0 ? CPU_SECONDS * (techniques.length + 1) : 0
  return words.takes(words.figures.time((seconds + after) * 1000))
}

function said(words: LabWords): string {
  const { report, starting } = lab
  if (starting) return words.starting
  switch (report?.state) {
    case 'running':
      return lab.traces ? '' : words.others
    case 'measuring-cpu':
      return words.measuringCpu
    case 'done':
      return `${words.done} ${recommended(words)}`
    case 'stopped':
      return `${words.stopped} ${recommended(words)}`
    case 'failed':
      return words.failed(report.reason ?? '')
    case undefined:
      return ''
  }
}

/** Told to those who hear the page, too, when it is found. */
function recommended({ advice }: LabWords): string {
  const { result } = lab
  if (!result || result.report.published === 0) return ''
  const { choice, ties } = result.advice
  return choice ? advice.choice(choice, ties) : advice.noChoice
}

function Refused({ refusal: { status, code, detail, run } }: { refusal: Refusal }) {
  const words = LAB_WORDS[speech.language]
  return (
    <div role="alert" class="told">
      <p>
        {code === 'lab-busy'
          ? words.refused['lab-busy']
          : status === 401 || status === 403
            ? words.refused.forbidden
            : status === 404
              ? words.refused['not-found']
              : status === 0
                ? words.refused.network
                : words.refused.other}{' '}
        <span class="quiet">{detail}</span>
      </p>
      {run && (
        <button type="button" onClick={() => void lab.stopOther(run)}>
          {words.stopOther}
        </button>
      )}
    </div>
  )
}
