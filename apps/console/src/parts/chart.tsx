/** Lines over the last minutes, by uPlot. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface Line {
  readonly label: string
  /** A custom property of the page's style, such as `--accent`. */
  readonly color: string
}

export function Chart({
  title,
  lines,
  columns,
  format,
}: {
  title: string
  lines: readonly Line[]
  columns: (number | null)[][]
  format: (value: number) => string
}) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  useEffect(() => {
    const element = place.current
    if (!element) return
    const color = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim()
    const axis = {
      stroke: color('--soft'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { show: false },
    }
    const made = new uPlot(
      {
        width: element.clientWidth || 320,
        height: 160,
        cursor: { y: false },
        legend: { live: true },
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map(format) }],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.label,
            stroke: color(line.color),
            width: 2,
            points: { show: false },
            value: (_: uPlot, value: number | null) => (value === null ? '–' : format(value)),
          })),
        ],
      },
      columns as uPlot.AlignedData,
      element,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: 160 }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [lines.map(({ label }) => label).join('|')])
  useEffect(() => plot.current?.setData(columns as uPlot.AlignedData), [columns])
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} />
    </figure>
  )
}
