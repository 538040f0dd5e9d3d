/** Which way fits, and why: the recommendation in words, above each way's main figures. */
import type { Advice, Standing, Technique } from '../../lab/shared.ts'
import { speech } from '../../language.ts'
import { LAB_WORDS, type LabWords } from '../../words-lab.ts'
import { WayMark } from './way.tsx'

/** @param after Milliseconds, while the run is under way. */
export function Verdict({ advice, after }: { advice: Advice; after?: number | undefined }) {
  const words = LAB_WORDS[speech.language]
  const { choice, ties, standings, reasons, against, crossings, unknowns } = advice
  const say = words.advice
  return (
    <section class="lab-verdict">
      <h2>
        {words.verdict}
        {after !== undefined && (
          <small>
            {' '}
            {words.soFar} {words.figures.time(Math.max(1000, Math.round(after / 1000) * 1000))}
          </small>
        )}
      </h2>
      <p class="choice-said">
        {choice && <WayMark technique={choice} />}
        {choice ? say.choice(choice, ties) : say.noChoice}
      </p>
      <ul class="ways">
        {standings.map((standing) => (
          <Way key={standing.technique} standing={standing} advice={advice} words={words} />
        ))}
      </ul>
      <div class="lists">
        <List title={words.why} lines={reasons.map((reason) => say.reason(reason))} />
        <List title={words.against} lines={against.map((caveat) => say.caveat(caveat))} />
        <List title={words.crossings} lines={crossings.map((crossing) => say.crossing(crossing))} />
        <List title={words.unknowns} lines={unknowns.map((unknown) => say.unknown(unknown))} />
      </div>
    </section>
  )
}

function Way({
  standing: { technique, fault, delays, bytesPerMinute },
  advice: { choice, ties },
  words,
}: {
  standing: Standing
  advice: Advice
  words: LabWords
}) {
  const best = technique === choice
  const state = best
    ? `★ ${words.best}`
    : fault
      ? `✕ ${words.out[fault]}`
      : ties.includes(technique)
        ? `✓ ${words.good}`
        : `✓ ${words.fits}`
  return (
    <li class={`way-${technique} ${best ? 'best' : ''}`}>
      <h3>
        <WayMark technique={technique} />
        {words.names[technique]}
      </h3>
      <p class={fault && !best ? 'state bad' : 'state'}>{state}</p>
      <dl>
        <div>
          <dt>{words.median}</dt>
          <dd>{delays ? words.figures.time(delays.p50) : '–'}</dd>
        </div>
        <div>
          <dt>{words.perMinute}</dt>
          <dd>{words.figures.bytes(bytesPerMinute)}</dd>
        </div>
      </dl>
      <p class="quiet">{words.how[technique]}</p>
    </li>
  )
}

/** Before the first run: what there is to compare. */
export function Ways({ techniques }: { techniques: readonly Technique[] }) {
  const words = LAB_WORDS[speech.language]
  return (
    <section>
      <ul class="ways">
        {techniques.map((technique) => (
          <li key={technique} class={`way-${technique}`}>
            <h2>
              <WayMark technique={technique} />
              {words.names[technique]}
            </h2>
            <p class="quiet">{words.how[technique]}</p>
          </li>
        ))}
      </ul>
    </section>
  )
}

function List({ title, lines }: { title: string; lines: readonly string[] }) {
  if (lines.length === 0) return null
  return (
    <div>
      <h3>{title}</h3>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  )
}
