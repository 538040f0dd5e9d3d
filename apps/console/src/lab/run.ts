/** A run of the Lab as the page follows it: what the hub tells of it, and the page's own clients. */
import { headers, hearing, urlOf } from '../hub.ts'
import type { ClockOffset } from '../model/lab-clock.ts'
import { type Finished, MOST_KEPT, type Sample } from '../model/lab-result.ts'
import { Traces } from '../model/lab-trace.ts'
import { Changing } from '../store.ts'
import { pageNow, readClock, type Refusal, refusalOf, ticketFor } from './ask.ts'
import { begin } from './clients.ts'
import {
  type Advice,
  advise,
  DEFAULT_LATE_MS,
  type LabReport,
  type LabSettings,
  type PageFigures,
  type Technique,
} from './shared.ts'

/** A run, and the recommendation. */
export interface Result extends Finished {
  readonly advice: Advice
}

const KEPT = 'downlink-console-lab'
/** The page's clients need not outlive what the hub tells of the run. */
const SILENCE_MS = 15_000

class Lab extends Changing {
  report: LabReport | undefined
  /** Of the run that is shown, when the page has clients in it. */
  traces: Traces | undefined
  clock: ClockOffset | undefined
  /** How late events may be, of the run that is shown. */
  late = DEFAULT_LATE_MS
  samples: readonly Sample[] = []
  refusal: Refusal | undefined
  starting = false
  /** When the page's clients went, by the page's clock. */
  over: number | undefined
  /** The runs before, the newest first. */
  finished: readonly Finished[] = restored()
  #clients: AbortController | undefined
  #result: Result | undefined
  #silence: ReturnType<typeof setTimeout> | undefined

  get running(): boolean {
    return this.report !== undefined && isUnderWay(this.report)
  }

  /** What is known of the run that is shown, and what follows from it: as of the last report. */
  get result(): Result | undefined {
    const { report, late } = this
    if (report === undefined) return undefined
    if (this.#result?.report === report && this.#result.late === late) return this.#result
    const page = this.pageFigures()
    this.#result = { report, late, page, advice: advise(report, { late, page }) }
    return this.#result
  }

  /** What the page's clients saw so far. */
  pageFigures(): Readonly<Partial<Record<Technique, PageFigures>>> {
    const { traces, report } = this
    if (!traces || !report) return {}
    const now = this.over ?? pageNow()
    const { delay } = report.settings.network
    return Object.fromEntries(
      traces.techniques.map((technique) => [technique, traces.figures(technique, now, delay)]),
    )
  }

  async start(settings: LabSettings, late: number): Promise<void> {
    if (this.starting || this.running) return
    this.starting = true
    this.refusal = undefined
    this.changed()
    try {
      this.clock = await readClock()
      const response = await fetch(urlOf('lab'), {
        method: 'POST',
        headers: { ...headers(), 'content-type': 'application/json' },
        body: JSON.stringify(settings),
      })
      if (!response.ok) {
        this.refusal = await refusalOf(response)
        return
      }
      const { report } = (await response.json()) as { report: LabReport }
      this.#show(report, late)
      this.#enter(report)
    } catch (error) {
      this.refusal = { status: 0, code: 'network', detail: String(error) }
    } finally {
      this.starting = false
      this.changed()
    }
  }

  async stop(): Promise<void> {
    const { report } = this
    if (!report) return
    this.refusal = undefined
    try {
      const response = await fetch(urlOf(`lab/${report.id}`), { method: 'DELETE', headers: headers() })
      // A hub that has begun anew knows nothing of it.
      if (response.ok) this.tell((await response.json()) as LabReport)
      else if (response.status === 404) this.tell({ ...report, state: 'stopped' })
      else this.refusal = await refusalOf(response)
    } catch (error) {
      this.refusal = { status: 0, code: 'network', detail: String(error) }
    }
    this.changed()
  }

  /** Stops a run that somebody else has begun. */
  async stopOther(id: string): Promise<void> {
    try {
      const response = await fetch(urlOf(`lab/${id}`), { method: 'DELETE', headers: headers() })
      this.refusal = response.ok || response.status === 404 ? undefined : await refusalOf(response)
    } catch (error) {
      this.refusal = { status: 0, code: 'network', detail: String(error) }
    }
    this.changed()
  }

  /** A report that came from `$hub.lab`, or as an answer. Those of other runs are shown when none of the page's is under way. */
  tell(report: LabReport): void {
    if (this.report?.id !== report.id) {
      if (this.starting || this.running || !isUnderWay(report)) return
      this.#show(report, this.late)
    }
    if (!this.running) return
    this.report = report
    this.#sample(report)
    if (report.state !== 'running') this.#leave()
    if (!this.running) this.#finish()
    else this.#listenFor(report)
    this.changed()
  }

  #show(report: LabReport, late: number): void {
    this.#leave()
    this.report = report
    this.late = late
    this.traces = undefined
    this.over = undefined
    this.samples = []
  }

  #enter({ channel, id, settings }: LabReport): void {
    const { techniques, network, pollEvery } = settings
    const plain = network.delay === 0 && !network.buffering && network.cutAfter === 0
    const clients = new AbortController()
    const traces = new Traces()
    traces.start = pageNow()
    this.#clients = clients
    this.traces = traces
    for (const technique of techniques) {
      begin(technique, {
        url: urlOf(plain ? `channels/${channel}` : `lab/${id}/net/channels/${channel}`),
        headers,
        ticket: () => ticketFor(channel),
        signal: clients.signal,
        pollEvery,
        traces,
        now: pageNow,
        offset: () => this.clock?.offset ?? 0,
      })
    }
    this.#listenFor(this.report as LabReport)
  }

  #leave(): void {
    if (this.#clients && this.over === undefined) this.over = pageNow()
    this.#clients?.abort()
    this.#clients = undefined
  }

  /** The hub may have gone, and the run with it. */
  #listenFor({ id }: LabReport): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => void this.#look(id), SILENCE_MS)
  }

  async #look(id: string): Promise<void> {
    const { report } = this
    if (!report || report.id !== id || !this.running) return
    try {
      const response = await fetch(urlOf(`lab/${id}`), { headers: headers() })
      if (response.ok) this.tell((await response.json()) as LabReport)
      else this.tell({ ...report, state: 'failed', reason: (await refusalOf(response)).detail })
    } catch {
      this.#listenFor(report)
    }
  }

  #sample(report: LabReport): void {
    const second = Math.round(report.elapsed / 1000)
    const before = this.samples.filter((sample) => sample.second !== second)
    this.samples = [...before, { second, report, page: this.pageFigures() }]
  }

  #finish(): void {
    clearTimeout(this.#silence)
    const { report } = this
    if (!report || report.published === 0) return
    const page = this.pageFigures()
    this.finished = [{ report, page, late: this.late }, ...this.finished].slice(0, MOST_KEPT)
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(this.finished))
    } catch {
      // Full, or not allowed: they are kept as long as the page is.
    }
  }
}

function isUnderWay({ state }: LabReport): boolean {
  return state === 'running' || state === 'measuring-cpu'
}

function restored(): readonly Finished[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? '[]') as readonly Finished[]
  } catch {
    return []
  }
}

export const lab = new Lab()
hearing.set('$hub.lab', (value) => lab.tell(value as LabReport))
