/** Requests against events: the canvas, what is shown on it, and the same as a table. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { pageNow } from '../../lab/ask.ts'
import { lab } from '../../lab/run.ts'
import { type Technique, TECHNIQUES } from '../../lab/shared.ts'
import { speech } from '../../language.ts'
import type { Traces } from '../../model/lab-trace.ts'
import { LAB_WORDS, type LabWords } from '../../words-lab.ts'
import { AXIS, type Colors, drawTimeline, LANE } from './timeline-drawing.ts'
import { WayMark } from './way.tsx'

const LAST_SECONDS = 15
/** Thirty pictures a second are smooth enough, and half the work. */
const LEAST_BETWEEN_MS = 30

export function Timeline({ traces }: { traces: Traces }) {
  const words = LAB_WORDS[speech.language]
  const [chosen, choose] = useState<'last' | 'whole' | undefined>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const going = lab.over === undefined
  const shown = chosen ?? (going ? 'last' : 'whole')
  useEffect(() => {
    const element = canvas.current
    if (!element) return
    return keepDrawn(element, traces, words, shown, going)
  }, [traces, words, shown, going])
  const { techniques } = traces
  return (
    <section class="lab-timeline">
      <h2>{words.timeline}</h2>
      <p class="quiet">{words.timelineHow}</p>
      <div class="tools" role="group" aria-label={words.view}>
        {(['last', 'whole'] as const).map((view) => (
          <button key={view} type="button" aria-pressed={view === shown} onClick={() => choose(view)}>
            {view === 'last' ? words.last(LAST_SECONDS) : words.whole}
          </button>
        ))}
      </div>
      <canvas
        ref={canvas}
        role="img"
        aria-label={words.timeline}
        style={{ height: `${techniques.length * LANE + AXIS}px` }}
      />
      <details>
        <summary>{words.asTable}</summary>
        <TraceTable traces={traces} words={words} />
      </details>
    </section>
  )
}

function TraceTable({ traces, words }: { traces: Traces; words: LabWords }) {
  const { columns, figures, names } = words
  const page = lab.pageFigures()
  return (
    <div class="wide-table" tabIndex={0} role="region" aria-label={words.timeline}>
      <table>
        <thead>
          <tr>
            <th scope="col">{columns.technique}</th>
            {[
              columns.requestCount,
              columns.empty,
              columns.failed,
              columns.received,
              columns.missed,
              columns.twice,
              columns.p50,
              columns.p99,
            ].map((title) => (
              <th key={title} scope="col" class="numeric">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {traces.techniques.map((technique) => {
            const trace = traces.of(technique)
            const own = page[technique]
            const delay = (value: number | undefined): string =>
              own && own.delays.count > 0 && value !== undefined ? figures.time(value) : '–'
            return (
              <tr key={technique}>
                <th scope="row">
                  <WayMark technique={technique} /> {names[technique]}
                </th>
                {[
                  trace.requests,
                  trace.empty,
                  trace.failures,
                  own?.received ?? 0,
                  own?.missed ?? 0,
                  trace.twice,
                ].map((value, column) => (
                  <td key={column} class="numeric">
                    {figures.count(value)}
                  </td>
                ))}
                <td class="numeric">{delay(own?.delays.p50)}</td>
                <td class="numeric">{delay(own?.delays.p99)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** Each frame while it goes on; each second where people want less movement; else when it has to be. */
function keepDrawn(
  canvas: HTMLCanvasElement,
  traces: Traces,
  words: LabWords,
  shown: 'last' | 'whole',
  going: boolean,
): () => void {
  const context = canvas.getContext('2d')
  if (!context) return () => {}
  let colors = colorsOf(canvas)
  const draw = (): void => {
    const width = canvas.clientWidth
    const height = canvas.clientHeight
    const scale = devicePixelRatio
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale)
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale)
    context.setTransform(scale, 0, 0, scale, 0, 0)
    const now = lab.over ?? pageNow()
    const least = shown === 'last' ? LAST_SECONDS * 1000 : 1000
    const from = shown === 'last' ? Math.max(traces.start, now - least) : traces.start
    drawTimeline(context, traces, {
      techniques: traces.techniques,
      names: words.names,
      server: words.server,
      page: words.page,
      from,
      to: going ? Math.max(now, from + least) : now,
      now,
      width,
      colors,
      seconds: (value) => words.figures.time(value * 1000).replace(/^0\u00A0\S+/, '0'),
    })
  }
  let frame = 0
  let timer: ReturnType<typeof setInterval> | undefined
  let drawn = 0
  const again = (time: number): void => {
    frame = requestAnimationFrame(again)
    if (time - drawn < LEAST_BETWEEN_MS) return
    drawn = time
    draw()
  }
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches
  if (!going) draw()
  else if (still) timer = setInterval(draw, 1000)
  else frame = requestAnimationFrame(again)
  const resized = new ResizeObserver(draw)
  resized.observe(canvas)
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const recolor = (): void => {
    colors = colorsOf(canvas)
    draw()
  }
  dark.addEventListener('change', recolor)
  return () => {
    cancelAnimationFrame(frame)
    clearInterval(timer)
    resized.disconnect()
    dark.removeEventListener('change', recolor)
  }
}

function colorsOf(element: HTMLElement): Colors {
  const style = getComputedStyle(element)
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const ways = Object.fromEntries(TECHNIQUES.map((technique) => [technique, color(`--way-${technique}`)]))
  return {
    ink: color('--ink'),
    sheet: color('--sheet'),
    soft: color('--soft'),
    line: color('--line'),
    bad: color('--bad'),
    ways: ways as Record<Technique, string>,
  }
}
