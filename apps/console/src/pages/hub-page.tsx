/** How the hub is, and what it did in the last minutes. */
import { bytes, clock, count, milliseconds } from '../format.ts'
import { hub, type TroubleLine } from '../hub.ts'
import { speech } from '../language.ts'
import type { Vitals } from '../model/vitals.ts'
import { Chart } from '../parts/chart.tsx'
import { useChanging } from '../store.ts'
import { INSPECT, type InspectWords } from '../words-inspect.ts'
import './inspect.css'

export function HubPage() {
  useChanging(hub, speech)
  const { words, language } = speech
  const more = INSPECT[language]
  const { history } = hub
  const now = history.last
  return (
    <>
      <h1>{words.hub}</h1>
      {hub.phase === 'waiting' && (
        <p class="notice" role="alert">
          {more.waitingForHub}
        </p>
      )}
      {now ? (
        <>
          <Tiles now={now} />
          <Charts />
        </>
      ) : (
        <p class="quiet">{hub.phase === 'live' ? more.firstSeconds : `${words.connecting}…`}</p>
      )}
      <TroubleList />
    </>
  )
}

interface Tile {
  readonly title: string
  readonly value: string
  readonly about: string
  readonly bad?: boolean
}

function Tiles({ now }: { now: Vitals }) {
  const { words, language } = speech
  const more = INSPECT[language]
  const number = (value: number): string => count(value, language)
  const ms = (value: number): string => milliseconds(value, language)
  const webSockets = now.webSockets
  const gaps = hub.history.sum(({ gaps: told }) => told)
  const tiles: readonly Tile[] = [
    { title: more.atOnce, value: more.perSecond(number(now.deliveries)), about: more.atOnceMore },
    {
      title: more.published,
      value: more.perSecond(number(now.publishes)),
      about: now.publishTime ? more.publishedMore(ms(now.publishTime.p50)) : more.publishedNone,
    },
    {
      title: more.publishSlow,
      value: now.publishTime ? ms(now.publishTime.p99) : words.none,
      about: more.publishSlowMore,
    },
    {
      title: more.reading,
      value: number(now.streams + now.longPolls),
      about: more.readingMore(number(now.streams - webSockets), number(now.longPolls), number(webSockets)),
    },
    { title: more.slowNow, value: number(now.slow), about: more.slowMore, bad: now.slow > 0 },
    { title: more.gapsNow, value: number(Math.round(gaps)), about: more.gapsMore, bad: gaps > 0 },
    {
      title: more.loop,
      value: ms(now.loopDelay.p99),
      about: more.loopMore,
      bad: now.loopDelay.p99 > 100,
    },
    { title: words.cpu, value: percent(now.cpu, language), about: more.cpuMore, bad: now.cpu > 0.9 },
    {
      title: words.memory,
      value: bytes(now.rss, language),
      about: more.memoryMore(bytes(now.heap, language)),
    },
    {
      title: words.log,
      value: now.log.ok ? more.logWell : more.logFails,
      about: now.log.ok ? more.logMore(number(now.frontier)) : (now.log.reason ?? ''),
      bad: !now.log.ok,
    },
  ]
  return (
    <dl class="tiles">
      {tiles.map(({ title, value, about, bad }) => (
        <div key={title} class={bad ? 'bad' : undefined}>
          <dt>{title}</dt>
          <dd>{value}</dd>
          <dd class="about">{about}</dd>
        </div>
      ))}
    </dl>
  )
}

function Charts() {
  const { words, language } = speech
  const more = INSPECT[language]
  const { history } = hub
  const number = (value: number): string => count(value, language)
  const ms = (value: number): string => milliseconds(value, language)
  const size = (value: number): string => bytes(value, language)
  return (
    <section class="charts" aria-label={words.history}>
      <Chart
        title={more.throughputChart}
        lines={[
          { label: more.deliveredLine, color: '--accent' },
          { label: more.publishedLine, color: '--good', dashed: true },
        ]}
        columns={history.columns(
          ({ deliveries }) => deliveries,
          ({ events }) => events,
        )}
        format={number}
      />
      <Chart
        title={more.publishChart}
        lines={[
          { label: more.half, color: '--good' },
          { label: more.most, color: '--wait', dashed: true },
        ]}
        columns={history.columns(
          ({ publishTime }) => publishTime?.p50,
          ({ publishTime }) => publishTime?.p99,
        )}
        format={ms}
      />
      <Chart
        title={more.readersChart}
        lines={[
          { label: more.sse, color: '--accent' },
          { label: more.longPoll, color: '--good', dashed: true },
          { label: more.websocket, color: '--wait' },
        ]}
        columns={history.columns(
          ({ streams, webSockets }) => streams - webSockets,
          ({ longPolls }) => longPolls,
          ({ webSockets }) => webSockets,
        )}
        format={number}
        least={5}
      />
      <Chart
        title={more.faultsChart}
        lines={[
          { label: more.slowLine, color: '--bad' },
          { label: more.gapsLine, color: '--wait', dashed: true },
        ]}
        columns={history.columns(
          ({ slow }) => slow,
          ({ gaps }) => gaps,
        )}
        format={number}
        least={5}
      />
      <Chart
        title={more.loopChart}
        lines={[
          { label: more.most, color: '--accent' },
          { label: more.worst, color: '--wait', dashed: true },
        ]}
        columns={history.columns(
          ({ loopDelay }) => loopDelay.p99,
          ({ loopDelay }) => loopDelay.max,
        )}
        format={ms}
        least={10}
      />
      <Chart
        title={more.cpuChart}
        lines={[{ label: more.cpuMore, color: '--accent' }]}
        columns={history.columns(({ cpu }) => cpu)}
        format={(share) => percent(share, language)}
        least={0.2}
      />
      <Chart
        title={more.memoryChart}
        lines={[
          { label: more.rss, color: '--accent' },
          { label: more.heap, color: '--good', dashed: true },
        ]}
        columns={history.columns(
          ({ rss }) => rss,
          ({ heap }) => heap,
        )}
        format={size}
      />
      <Writes />
    </section>
  )
}

function percent(share: number, language: string): string {
  return `${count(share * 100, language)} %`
}

function Writes() {
  const { language } = speech
  const more = INSPECT[language]
  const sizes = hub.history.sizes()
  const most = Math.max(...sizes)
  const last = sizes.findLastIndex((writes) => writes > 0)
  return (
    <div class="chart broad">
      <h2>{more.writesTitle}</h2>
      <p class="quiet">{last < 0 ? more.writesNone : more.writesHint}</p>
      {last >= 0 && (
        <table class="writes">
          <thead>
            <tr>
              <th scope="col">{more.writesEvents}</th>
              <th scope="col" class="numeric">
                {more.writesCount}
              </th>
              <td />
            </tr>
          </thead>
          <tbody>
            {sizes.slice(0, last + 1).map((writes, power) => (
              <tr key={power}>
                <th scope="row">{rangeOf(power, sizes.length, language)}</th>
                <td class="numeric">{count(writes, language)}</td>
                <td>
                  <div class="bar" style={{ width: `${(100 * writes) / most}%` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

/** Sizes are counted by powers of two; the last holds all beyond. */
function rangeOf(power: number, sizes: number, language: string): string {
  const from = count(2 ** power, language)
  if (power === 0) return from
  return power === sizes - 1 ? `≥ ${from}` : `${from}–${count(2 ** (power + 1) - 1, language)}`
}

function TroubleList() {
  const { language } = speech
  const more = INSPECT[language]
  const { trouble } = hub
  return (
    <section>
      <h2>{more.troubleTitle}</h2>
      <p class="quiet">{trouble.length === 0 ? more.troubleNone : more.troubleHint}</p>
      {trouble.length > 0 && (
        <ul class="trouble" tabIndex={0} aria-label={more.troubleTitle}>
          {trouble.map((line) => (
            <li key={line.id}>
              <time dateTime={line.time}>{clock(line.time, language)}</time>
              <span class={`badge ${line.kind === 'refused' ? '' : 'bad'}`}>{kindOf(line, more)}</span>
              <span>
                {line.code && <code>{line.code}</code>} {line.message}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function kindOf({ kind, status }: TroubleLine, words: InspectWords): string {
  if (kind === 'refused') return String(status ?? '')
  return kind === 'more' ? words.kindMore : words.kindError
}
