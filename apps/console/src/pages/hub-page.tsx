/** How the hub is, and what it did in the last minutes. */
import { Chart } from '../parts/chart.tsx'
import { bytes, clock, count, milliseconds } from '../format.ts'
import { hub } from '../hub.ts'
import { speech } from '../language.ts'
import { useChanging } from '../store.ts'

export function HubPage() {
  useChanging(hub, speech)
  const { words, language } = speech
  const { history, trouble } = hub
  const now = history.last
  if (!now) return <p class="quiet">{words.connecting}…</p>
  const number = (value: number): string => count(value, language)
  const ms = (value: number): string => milliseconds(value, language)
  const size = (value: number): string => bytes(value, language)
  const tiles: readonly (readonly [string, string, boolean?])[] = [
    [words.deliveries, number(now.deliveries)],
    [words.publishes, number(now.publishes)],
    [words.streams, number(now.streams)],
    [words.longPolls, number(now.longPolls)],
    [words.slow, number(now.slow), now.slow > 0],
    [words.gaps, number(now.gaps), now.gaps > 0],
    [words.publishTime, now.publishTime ? ms(now.publishTime.p99) : words.none],
    [words.loopDelay, ms(now.loopDelay.p99), now.loopDelay.p99 > 100],
    [words.cpu, `${number(now.cpu * 100)} %`, now.cpu > 0.9],
    [words.memory, size(now.rss)],
    [words.frontier, number(now.frontier)],
    [words.log, now.log.ok ? words.ok : (now.log.reason ?? words.none), !now.log.ok],
  ]
  const sizes = history.sizes()
  const most = Math.max(1, ...sizes)
  return (
    <>
      <h1>{words.hub}</h1>
      <dl class="tiles">
        {tiles.map(([title, value, bad]) => (
          <div key={title} class={bad ? 'bad' : ''}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="charts" aria-label={words.history}>
        <Chart
          title={words.throughput}
          lines={[
            { label: words.events, color: '--good' },
            { label: words.deliveries, color: '--accent' },
          ]}
          columns={history.columns(
            ({ events }) => events,
            ({ deliveries }) => deliveries,
          )}
          format={number}
        />
        <Chart
          title={words.delays}
          lines={[
            { label: words.publishTime, color: '--wait' },
            { label: words.loopDelay, color: '--accent' },
          ]}
          columns={history.columns(
            ({ publishTime }) => publishTime?.p99,
            ({ loopDelay }) => loopDelay.p99,
          )}
          format={ms}
        />
        <Chart
          title={words.readersChart}
          lines={[
            { label: words.streams, color: '--accent' },
            { label: words.longPolls, color: '--good' },
            { label: words.slow, color: '--bad' },
          ]}
          columns={history.columns(
            ({ streams }) => streams,
            ({ longPolls }) => longPolls,
            ({ slow }) => slow,
          )}
          format={number}
        />
        <Chart
          title={words.memory}
          lines={[
            { label: 'RSS', color: '--accent' },
            { label: 'heap', color: '--good' },
          ]}
          columns={history.columns(
            ({ rss }) => rss,
            ({ heap }) => heap,
          )}
          format={size}
        />
      </div>
      <section>
        <h2>{words.flushes}</h2>
        <ol class="bars">
          {sizes.map((writes, power) => (
            <li key={power}>
              <span>{power === 0 ? '1' : `${number(2 ** power)}–${number(2 ** (power + 1) - 1)}`}</span>
              <meter min={0} max={most} value={writes} aria-label={number(writes)} />
              <span class="numeric">{number(writes)}</span>
            </li>
          ))}
        </ol>
      </section>
      <section>
        <h2>{words.trouble}</h2>
        {trouble.length === 0 ? (
          <p class="quiet">{words.noTrouble}</p>
        ) : (
          <ul class="trouble">
            {trouble.map(({ id, time, status, code, message }) => (
              <li key={id}>
                <time dateTime={time}>{clock(time, language)}</time>{' '}
                <strong>
                  {status ?? ''} {code ?? ''}
                </strong>{' '}
                {message}
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  )
}
