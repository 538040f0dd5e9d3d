/** Lines over the last minutes, by uPlot, with a legend that says what they are: now, or where one points. */
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { moment } from '../format.ts'
import { darkness } from '../darkness.ts'
import { speech } from '../language.ts'
import { useChanging } from '../store.ts'

export interface Line {
  readonly label: string
  /** A custom property of the page's style, such as `--accent`. */
  readonly color: string
  /** Drawn with dashes: lines are not told apart by their color alone. */
  readonly dashed?: boolean
}

const HEIGHT = 150
/** Seconds that are shown at least. */
const LEAST = 60

export function Chart({
  title,
  lines,
  columns,
  format,
  least = 1,
}: {
  title: string
  lines: readonly Line[]
  /** Times in seconds since 1970, then the values of each line. */
  columns: readonly (readonly (number | null)[])[]
  format: (value: number) => string
  /** What the scale reaches at least. */
  least?: number
}) {
  useChanging(darkness)
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const [pointed, point] = useState<number | null>(null)
  const { language } = speech
  useEffect(() => {
    const element = place.current
    if (!element) return
    const color = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim()
    const axis = {
      stroke: color('--soft'),
      font: `12px ${getComputedStyle(element).fontFamily}`,
      grid: { stroke: color('--line'), width: 1 },
      ticks: { show: false },
    }
    const made = new uPlot(
      {
        width: element.clientWidth || 320,
        height: HEIGHT,
        cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'hub' } },
        legend: { show: false },
        scales: {
          x: { range: (_, from, to) => [Math.min(from, to - LEAST), to] },
          y: { range: (_, __, most) => [0, Math.max(least, (most ?? 0) * 1.1)] },
        },
        axes: [
          {
            ...axis,
            space: 70,
            size: 28,
            values: (_, ticks) => ticks.map((at) => moment(at * 1000, language)),
          },
          { ...axis, size: 62, space: 32, values: (_, ticks) => ticks.map(format) },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.label,
            stroke: color(line.color),
            width: 2,
            ...(line.dashed && { dash: [5, 4] }),
            points: { show: false },
          })),
        ],
        hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? null)] },
      },
      columns as unknown as uPlot.AlignedData,
      element,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [lines.map(({ label }) => label).join('|'), language, darkness.dark])
  useEffect(() => plot.current?.setData(columns as unknown as uPlot.AlignedData), [columns])
  const [times = []] = columns
  const index = pointed !== null && pointed < times.length ? pointed : times.length - 1
  const time = times[index]
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        {pointed !== null && time && <time class="quiet">{moment(time * 1000, language)}</time>}
      </figcaption>
      <ul class="legend">
        {lines.map(({ label, color, dashed }, at) => {
          const value = columns[at + 1]?.[index] ?? undefined
          return (
            <li key={label}>
              <i
                class={dashed ? 'dashed' : undefined}
                style={{ borderColor: `var(${color})` }}
                aria-hidden="true"
              />
              {label} <b>{value === undefined ? '–' : format(value)}</b>
            </li>
          )
        })}
      </ul>
      <div ref={place} class="plot" aria-hidden="true" />
    </figure>
  )
}
