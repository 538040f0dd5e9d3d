/** The timeline of a run on a canvas: for each way events on the server, the page that has them, and the requests in between. */
import type { Technique } from '../../lab/shared.ts'
import type { Asked, Trace, Traces } from '../../model/lab-trace.ts'
import { shapeOf } from './way.tsx'

export interface Colors {
  readonly ink: string
  readonly sheet: string
  readonly soft: string
  readonly line: string
  readonly bad: string
  readonly ways: Readonly<Record<Technique, string>>
}

export interface TimelineView {
  readonly techniques: readonly Technique[]
  readonly names: Readonly<Record<Technique, string>>
  readonly server: string
  readonly page: string
  /** What is shown, by the page's clock. */
  readonly from: number
  readonly to: number
  /** Requests that last are drawn up to here. */
  readonly now: number
  readonly width: number
  readonly colors: Colors
  readonly seconds: (value: number) => string
}

export const LANE = 84
export const AXIS = 24
/** Within a lane. */
const NAME = 16
const SERVER = 28
const PAGE = 56
const BAR = 13
const LEAST_BAR = 4
const MOST_MARKS = 160

export function drawTimeline(context: CanvasRenderingContext2D, traces: Traces, view: TimelineView): void {
  const { techniques, width, from, to, colors } = view
  const x = (time: number): number => ((time - from) / (to - from)) * width
  context.clearRect(0, 0, width, techniques.length * LANE + AXIS)
  drawAxis(context, traces.start, view, x)
  for (const [lane, technique] of techniques.entries()) {
    context.save()
    context.translate(0, lane * LANE)
    context.strokeStyle = colors.line
    context.beginPath()
    context.moveTo(0, SERVER)
    context.lineTo(width, SERVER)
    context.stroke()
    drawEvents(context, traces, technique, view, x)
    for (const asked of within(traces.of(technique), from)) drawRequest(context, asked, technique, view, x)
    drawArrivals(context, traces.of(technique), technique, view, x)
    context.fillStyle = colors.ways[technique]
    context.save()
    context.translate(0, NAME - 11)
    context.fill(shapeOf(technique))
    context.restore()
    context.fillStyle = colors.ink
    context.font = '600 13px system-ui, sans-serif'
    context.fillText(view.names[technique], 18, NAME)
    label(context, view.server, NAME, view)
    label(context, view.page, PAGE - 5, view)
    context.restore()
  }
}

/** At the right, on a ground of its own, as lines run below it. */
function label(
  context: CanvasRenderingContext2D,
  text: string,
  y: number,
  { width, colors }: TimelineView,
): void {
  context.font = '12px system-ui, sans-serif'
  const room = context.measureText(text).width
  context.fillStyle = colors.sheet
  context.globalAlpha = 0.85
  context.fillRect(width - room - 6, y - 10, room + 6, 13)
  context.globalAlpha = 1
  context.fillStyle = colors.soft
  context.fillText(text, width - room, y)
}

/** Requests that reach into what is shown: they are in order. */
function within({ asked }: Trace, from: number): readonly Asked[] {
  let first = asked.length
  while (first > 0 && (asked[first - 1]?.end ?? Infinity) >= from) first--
  return asked.slice(first)
}

function drawAxis(
  context: CanvasRenderingContext2D,
  start: number,
  { techniques, width, from, to, colors, seconds }: TimelineView,
  x: (time: number) => number,
): void {
  const bottom = techniques.length * LANE
  const step = stepFor((to - from) / 1000, width)
  context.font = '12px system-ui, sans-serif'
  context.lineWidth = 1
  for (let second = Math.max(0, Math.ceil((from - start) / 1000 / step) * step); ; second += step) {
    const at = x(start + second * 1000)
    if (at > width) break
    context.strokeStyle = colors.line
    context.beginPath()
    context.moveTo(at, 0)
    context.lineTo(at, bottom)
    context.stroke()
    context.fillStyle = colors.soft
    const text = seconds(second)
    const room = context.measureText(text).width
    context.fillText(text, Math.min(width - room, Math.max(0, at - room / 2)), bottom + 16)
  }
}

/** Seconds between two marks: at least 60 pixels. */
function stepFor(seconds: number, width: number): number {
  const least = (seconds * 60) / width
  return [1, 2, 5, 10, 20, 30, 60, 120].find((step) => step >= least) ?? 300
}

/** A tick for each event on the server, and the line to where the page had it. */
function drawEvents(
  context: CanvasRenderingContext2D,
  traces: Traces,
  technique: Technique,
  { from, to, width, colors }: TimelineView,
  x: (time: number) => number,
): void {
  const { published } = traces
  context.strokeStyle = colors.ink
  context.lineWidth = 1
  context.beginPath()
  let drawn = -1
  for (let n = published.length - 1; n >= 0; n--) {
    const time = published[n]
    if (time === undefined || time > to) continue
    if (time < from) break
    const at = Math.round(x(time)) + 0.5
    if (at === drawn) continue
    drawn = at
    context.moveTo(at, SERVER - 5)
    context.lineTo(at, SERVER)
  }
  context.stroke()
  const { arrivals } = traces.of(technique)
  context.strokeStyle = colors.ways[technique]
  context.globalAlpha = 0.55
  context.beginPath()
  let last = ''
  for (let index = arrivals.length - 1; index >= 0; index--) {
    const { n, at } = arrivals[index] as Trace['arrivals'][number]
    if (at < from) break
    const time = published[n]
    if (time === undefined) continue
    const [top, bottom] = [Math.round(x(time)) + 0.5, Math.round(x(at)) + 0.5]
    // Two that fall on the same pixels are one line.
    const line = `${top} ${bottom}`
    if (line === last || top > width) continue
    last = line
    context.moveTo(top, SERVER)
    context.lineTo(bottom, PAGE)
  }
  context.stroke()
  context.globalAlpha = 1
}

function drawRequest(
  context: CanvasRenderingContext2D,
  { start, end, events, failed }: Asked,
  technique: Technique,
  { now, width, colors }: TimelineView,
  x: (time: number) => number,
): void {
  const left = Math.max(-2, x(start))
  const right = Math.min(width + 2, x(end ?? now))
  if (right < 0 || left > width) return
  const length = Math.max(LEAST_BAR, right - left)
  const color = failed ? colors.bad : colors.ways[technique]
  context.lineWidth = 1
  context.strokeStyle = color
  if (events > 0) {
    context.fillStyle = color
    // One that stays shows the events that come along it.
    context.globalAlpha = length > 12 ? 0.25 : 1
    context.fillRect(left, PAGE, length, BAR)
    context.globalAlpha = 1
  }
  context.strokeRect(left + 0.5, PAGE + 0.5, Math.max(1, length - 1), BAR - 1)
  if (!failed) return
  context.beginPath()
  context.moveTo(right - 4, PAGE)
  context.lineTo(right + 4, PAGE + BAR)
  context.moveTo(right + 4, PAGE)
  context.lineTo(right - 4, PAGE + BAR)
  context.stroke()
}

function drawArrivals(
  context: CanvasRenderingContext2D,
  { arrivals }: Trace,
  technique: Technique,
  { from, colors }: TimelineView,
  x: (time: number) => number,
): void {
  const shape = shapeOf(technique)
  context.fillStyle = colors.ways[technique]
  const places = new Set<number>()
  for (let index = arrivals.length - 1; index >= 0; index--) {
    const { at } = arrivals[index] as Trace['arrivals'][number]
    if (at < from) break
    places.add(Math.round(x(at)))
  }
  // So many would only be a thick line.
  if (places.size > MOST_MARKS) {
    for (const place of places) context.fillRect(place, PAGE, 1, BAR)
    return
  }
  for (const place of places) {
    context.save()
    context.translate(place - 6, PAGE + BAR / 2 - 6)
    context.fill(shape)
    context.restore()
  }
}
