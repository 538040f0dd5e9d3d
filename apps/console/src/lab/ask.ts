/** What the Lab asks of the hub besides runs: the time, tickets, and why it refuses. */
import { headers, token, urlOf } from '../hub.ts'
import { type ClockOffset, type ClockReading, offsetOf } from '../model/lab-clock.ts'

const CLOCK_TRIES = 8

/** What the hub says when it says no. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly detail: string
  /** The setting that is meant. */
  readonly setting?: string
  /** The run that is under way. */
  readonly run?: string
}

/** By the page's clock, in milliseconds since 1970, with a fraction. */
export function pageNow(): number {
  return performance.timeOrigin + performance.now()
}

export async function readClock(): Promise<ClockOffset | undefined> {
  const readings: ClockReading[] = []
  for (let tried = 0; tried < CLOCK_TRIES; tried++) {
    const asked = pageNow()
    const response = await fetch(urlOf('lab/time'), { headers: headers(), cache: 'no-store' })
    const answered = pageNow()
    if (!response.ok) break
    readings.push({ asked, answered, hub: ((await response.json()) as { now: number }).now })
  }
  return offsetOf(readings)
}

export async function ticketFor(channel: string): Promise<string | undefined> {
  if (token() === '') return undefined
  const response = await fetch(urlOf('tickets'), {
    method: 'POST',
    headers: headers(),
    body: JSON.stringify({ channels: [channel] }),
  })
  if (!response.ok) throw new Error(`${response.status} of tickets`)
  return ((await response.json()) as { ticket: string }).ticket
}

export async function refusalOf(response: Response): Promise<Refusal> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Refusal>
  const { code = '', detail = '', setting, run } = problem
  return { status: response.status, code, detail, ...(setting && { setting }), ...(run && { run }) }
}
