/** How long events took, by each way, on one scale. */
import type { Finished } from '../../model/lab-result.ts'
import { added, placeOf } from '../../model/lab-scale.ts'
import { lab } from '../../lab/run.ts'
import { DELAY_BOUNDS, type Delays, type Technique, TECHNIQUES } from '../../lab/shared.ts'
import { speech } from '../../language.ts'
import { LAB_WORDS } from '../../words-lab.ts'
import { WayMark } from './way.tsx'

/** Shown under the scale, in milliseconds. */
const MARKS = [1, 10, 100, 1_000, 10_000] as const

interface Row {
  readonly technique: Technique
  /** Of crowd and page together. */
  readonly counts: readonly number[]
  /** Of the crowd, or of the page when there is none. */
  readonly delays: Delays
}

export function DelayRows({ result }: { result: Pick<Finished, 'report' | 'page'> }) {
  const words = LAB_WORDS[speech.language]
  const { time, count } = words.figures
  const rows = TECHNIQUES.flatMap((technique) => rowOf(technique, result))
  return (
    <section class="lab-delays">
      <h2>{words.delays}</h2>
      <p class="quiet">{words.delaysHow}</p>
      {rows.map(({ technique, counts, delays }) => {
        const most = Math.max(1, ...counts)
        return (
          <div key={technique} class={`delay-row way-${technique}`}>
            <p>
              <WayMark technique={technique} />
              <strong>{words.names[technique]}</strong>{' '}
              <span class="numeric">
                {delays.count > 0
                  ? `p50 ${time(delays.p50)} · p99 ${time(delays.p99)}`
                  : words.out['nothing-came']}
              </span>
            </p>
            <div class="delay-bars" aria-hidden="true">
              {counts.map((events, step) => (
                <i
                  key={step}
                  style={{ height: `${events === 0 ? 0 : Math.max(4, (100 * events) / most)}%` }}
                />
              ))}
              {delays.count > 0 && (
                <>
                  <b class="p50" style={{ left: `${100 * placeOf(delays.p50)}%` }} />
                  <b class="p99" style={{ left: `${100 * placeOf(delays.p99)}%` }} />
                </>
              )}
            </div>
          </div>
        )
      })}
      <div class="delay-scale" aria-hidden="true">
        {MARKS.map((mark) => (
          <span key={mark} style={{ left: `${100 * placeOf(mark)}%` }}>
            {time(mark)}
          </span>
        ))}
      </div>
      {lab.clock && lab.traces && <p class="quiet">{words.clock(time(lab.clock.precision))}</p>}
      <details>
        <summary>{words.asTable}</summary>
        <div class="wide-table" tabIndex={0} role="region" aria-label={words.delays}>
          <table>
            <thead>
              <tr>
                <th scope="col">{words.columns.upTo}</th>
                {rows.map(({ technique }) => (
                  <th key={technique} scope="col" class="numeric">
                    {words.names[technique]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {[...DELAY_BOUNDS, Infinity].map((bound, step) => (
                <tr key={bound}>
                  <th scope="row">{bound === Infinity ? words.columns.more : time(bound)}</th>
                  {rows.map(({ technique, counts }) => (
                    <td key={technique} class="numeric">
                      {count(counts[step] ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  )
}

function rowOf(technique: Technique, { report, page }: Pick<Finished, 'report' | 'page'>): readonly Row[] {
  const crowd = report.techniques[technique]?.crowd.delays
  const own = page[technique]?.delays
  const delays = crowd && crowd.count > 0 ? crowd : (own ?? crowd)
  return delays ? [{ technique, delays, counts: added(crowd?.counts ?? [], own?.counts ?? []) }] : []
}
