/** What each way costs, in bars side by side; and what it cost in the run before. */
import { speech } from '../../language.ts'
import { type Cost, costOf, type Finished, total } from '../../model/lab-result.ts'
import { TECHNIQUES } from '../../lab/shared.ts'
import { LAB_WORDS, type LabWords } from '../../words-lab.ts'
import { WayMark } from './way.tsx'

interface Figure {
  readonly title: string
  readonly value: (cost: Cost) => number | undefined
  readonly say: (value: number) => string
  /** The part of the value that headers are. */
  readonly head?: (cost: Cost) => number
  readonly note?: (cost: Cost) => string
  /** In place of a value that is missing. */
  readonly missing?: (cost: Cost) => string
}

function figuresIn(words: LabWords): readonly Figure[] {
  const { bytes, count } = words.figures
  const { columns } = words
  return [
    {
      title: columns.requests,
      value: ({ requestsPerMinute }) => requestsPerMinute,
      say: count,
      note: ({ emptyShare }) => (emptyShare >= 0.005 ? `${words.share(emptyShare)} ${columns.empty}` : ''),
    },
    {
      title: columns.down,
      value: ({ down }) => total(down),
      say: bytes,
      head: ({ down }) => down?.head ?? 0,
    },
    { title: columns.up, value: ({ up }) => total(up), say: bytes, head: ({ up }) => up?.head ?? 0 },
    { title: columns.connections, value: ({ connections }) => connections, say: count },
    {
      title: columns.cpu,
      value: ({ cpu }) => cpu,
      say: words.micro,
      missing: ({ cpuBelow }) =>
        cpuBelow === undefined ? words.notMeasured : words.below(words.micro(cpuBelow)),
    },
  ]
}

type Result = Pick<Finished, 'report' | 'page'>

export function Costs({ result, before }: { result: Result; before: Finished | undefined }) {
  const words = LAB_WORDS[speech.language]
  const costs = costsOf(result)
  const earlier = before && costsOf(before)
  return (
    <section class="lab-costs">
      <h2>{words.costs}</h2>
      <p class="quiet">
        {words.costsHow} <span class="key head" aria-hidden="true" /> {words.head}{' '}
        <span class="key" aria-hidden="true" /> {words.body}
      </p>
      {before && (
        <p class="quiet">
          {words.compareHow}{' '}
          {words.runBefore(
            words.rateOf(before.report.settings.events.rate),
            words.figures.time(before.report.settings.pollEvery),
          )}
        </p>
      )}
      <div class="cost-figures">
        {figuresIn(words).map((figure) => (
          <CostFigure key={figure.title} figure={figure} costs={costs} earlier={earlier} />
        ))}
      </div>
    </section>
  )
}

function costsOf(result: Result): readonly Cost[] {
  return TECHNIQUES.flatMap((technique) => costOf(technique, result) ?? [])
}

function CostFigure({
  figure: { title, value, say, head, note, missing },
  costs,
  earlier,
}: {
  figure: Figure
  costs: readonly Cost[]
  earlier: readonly Cost[] | undefined
}) {
  const words = LAB_WORDS[speech.language]
  const most = Math.max(Number.MIN_VALUE, ...costs.map((cost) => value(cost) ?? 0))
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <ul>
        {costs.map((cost) => {
          const { technique } = cost
          const amount = value(cost)
          const was = earlier?.find((one) => one.technique === technique)
          const before = was && value(was)
          const heads = amount === undefined || amount === 0 || !head ? 0 : (100 * head(cost)) / amount
          return (
            <li key={technique} class={`way-${technique}`}>
              <span class="way">
                <WayMark technique={technique} />
                {words.names[technique]}
              </span>
              <span class="cost-bar" aria-hidden="true">
                {amount !== undefined && (
                  <i style={{ width: `${(100 * amount) / most}%` }}>
                    <b style={{ width: `${heads}%` }} />
                  </i>
                )}
              </span>
              <span class="numeric">
                {amount === undefined ? (missing?.(cost) ?? words.notMeasured) : say(amount)}
                {before !== undefined && <small> ({say(before)})</small>}
              </span>
              {note && note(cost) !== '' && <small class="note">{note(cost)}</small>}
            </li>
          )
        })}
      </ul>
    </figure>
  )
}
