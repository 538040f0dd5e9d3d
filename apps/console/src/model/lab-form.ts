/** The Lab's settings as they stand in a form: texts, until they are checked. Pure. */
import {
  type Bounded,
  LAB_BOUNDS,
  LAB_PRESETS,
  labSettings,
  type LabSettings,
  type Preset,
  PRESET_LATE_MS,
  SettingError,
  type Technique,
} from '../lab/shared.ts'

/** Texts as they were typed. Times in seconds, but for the network's delay, in milliseconds. */
export interface Draft {
  /** What it was begun with. */
  readonly preset: Preset
  readonly late: string
  readonly rate: string
  readonly ratePer: 'second' | 'minute'
  readonly shape: LabSettings['events']['shape']
  readonly size: string
  readonly clients: string
  readonly pollEvery: string
  readonly delay: string
  readonly buffering: boolean
  readonly cutAfter: string
  readonly seconds: string
  readonly cpu: boolean
  readonly techniques: readonly Technique[]
}

export type Field =
  | 'late'
  | 'rate'
  | 'size'
  | 'clients'
  | 'pollEvery'
  | 'delay'
  | 'cutAfter'
  | 'seconds'
  | 'techniques'

/** What is wrong with a field. */
export type Fault =
  | { readonly code: 'number' }
  /** In the form's unit. */
  | { readonly code: 'bounds'; readonly least: number; readonly most: number; readonly orZero: boolean }
  | { readonly code: 'whole' }
  | { readonly code: 'none-chosen' }
  /** Each is within its bounds, together they are too much for one machine; the hub's words. */
  | { readonly code: 'together'; readonly message: string }

export type Checked =
  | { readonly settings: LabSettings; readonly late: number }
  | { readonly faults: ReadonlyMap<Field, Fault> }

export function draftOf(preset: Preset): Draft {
  const { events, clients, pollEvery, network, seconds, cpu, techniques } = LAB_PRESETS[preset]
  const ratePer = events.rate < 1 ? 'minute' : 'second'
  return {
    preset,
    late: text(PRESET_LATE_MS[preset] / 1000),
    rate: text(ratePer === 'minute' ? events.rate * 60 : events.rate),
    ratePer,
    shape: events.shape,
    size: text(events.size),
    clients: text(clients),
    pollEvery: text(pollEvery / 1000),
    delay: text(network.delay),
    buffering: network.buffering,
    cutAfter: text(network.cutAfter / 1000),
    seconds: text(seconds),
    cpu,
    techniques,
  }
}

function text(value: number): string {
  return String(Number(value.toPrecision(6)))
}

/** What a field's number is multiplied by for the setting that it stands for. */
interface Meaning {
  readonly setting: Bounded
  readonly times: number
}

function meaningOf(field: Exclude<Field, 'techniques' | 'late'>, { ratePer }: Draft): Meaning {
  switch (field) {
    case 'rate':
      return { setting: 'events.rate', times: ratePer === 'minute' ? 1 / 60 : 1 }
    case 'size':
      return { setting: 'events.size', times: 1 }
    case 'clients':
      return { setting: 'clients', times: 1 }
    case 'pollEvery':
      return { setting: 'pollEvery', times: 1000 }
    case 'delay':
      return { setting: 'network.delay', times: 1 }
    case 'cutAfter':
      return { setting: 'network.cutAfter', times: 1000 }
    case 'seconds':
      return { setting: 'seconds', times: 1 }
  }
}

const NUMBERS = ['rate', 'size', 'clients', 'pollEvery', 'delay', 'cutAfter', 'seconds'] as const
/** As the hub's bounds, in the form's unit. */
interface Range {
  readonly least: number
  readonly most: number
  readonly whole?: boolean
  readonly orZero?: boolean
}

const LATE: Range = { least: 0.05, most: 600 }

export function check(draft: Draft): Checked {
  const faults = new Map<Field, Fault>()
  const values = new Map<Field, number>()
  for (const field of NUMBERS) {
    const { setting, times } = meaningOf(field, draft)
    const bound: Range = LAB_BOUNDS[setting]
    const { least, most } = bound
    const own = { ...bound, least: least / times, most: most / times }
    const value = numberOf(draft[field], own)
    if (typeof value === 'number') values.set(field, Math.min(most, value * times))
    else faults.set(field, value)
  }
  const late = numberOf(draft.late, LATE)
  if (typeof late !== 'number') faults.set('late', late)
  if (draft.techniques.length === 0) faults.set('techniques', { code: 'none-chosen' })
  if (faults.size > 0 || typeof late !== 'number') return { faults }
  const value = (field: Field): number => values.get(field) ?? 0
  try {
    const settings = labSettings({
      techniques: draft.techniques,
      events: { rate: value('rate'), shape: draft.shape, size: value('size') },
      clients: value('clients'),
      pollEvery: value('pollEvery'),
      network: { delay: value('delay'), buffering: draft.buffering, cutAfter: value('cutAfter') },
      seconds: value('seconds'),
      cpu: draft.cpu,
    })
    return { settings, late: late * 1000 }
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    return { faults: new Map([[fieldOf(error.setting), { code: 'together', message: error.message }]]) }
  }
}

/** A comma is as good as a point. */
function numberOf(typed: string, { least, most, whole, orZero = false }: Range): number | Fault {
  const value = typed.trim() === '' ? NaN : Number(typed.trim().replace(',', '.'))
  if (!Number.isFinite(value)) return { code: 'number' }
  if (orZero && value === 0) return 0
  // What is shown of a bound is rounded, and is to be taken as it is shown.
  if (value < least * 0.999 || value > most * 1.001)
    return { code: 'bounds', least: Number(least.toPrecision(3)), most: Number(most.toPrecision(3)), orZero }
  if (whole && !Number.isInteger(value)) return { code: 'whole' }
  return Math.max(least, value)
}

/** Of a setting as the hub names it. */
export function fieldOf(setting: string): Field {
  const field = setting.split('.').at(-1) ?? ''
  return ([...NUMBERS, 'techniques'] as readonly string[]).includes(field) ? (field as Field) : 'clients'
}

/** A slider's steps are even to the eye: from one a minute to 100 a second, each a little more than the one before. */
export const RATE_STEPS = 100
const { least: LEAST, most: MOST } = LAB_BOUNDS['events.rate']

/** @param step 0 to `RATE_STEPS` @returns events a second */
export function rateAt(step: number): number {
  return LEAST * (MOST / LEAST) ** (step / RATE_STEPS)
}

export function stepOf(rate: number): number {
  const bounded = Math.min(MOST, Math.max(LEAST, rate))
  return Math.round((RATE_STEPS * Math.log(bounded / LEAST)) / Math.log(MOST / LEAST))
}

/** A rate in the unit in which it reads best. @param rate Events a second */
export function rateDraft(rate: number): Pick<Draft, 'rate' | 'ratePer'> {
  const ratePer = rate < 1 ? 'minute' : 'second'
  const value = ratePer === 'minute' ? rate * 60 : rate
  return { rate: String(Number(value.toPrecision(2))), ratePer }
}

/** Events a second, of whatever is typed; undefined when it is no number. */
export function rateOf({ rate, ratePer }: Draft): number | undefined {
  const value = numberOf(rate, { least: 0, most: Infinity })
  if (typeof value !== 'number') return undefined
  return ratePer === 'minute' ? value / 60 : value
}
