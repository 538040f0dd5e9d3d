/** What is asked of the Lab, checked. Pure: the page checks by the same bounds. */
import { DEFAULT_SETTINGS } from './presets.ts'
import { type LabSettings, type Technique, TECHNIQUES } from './report.ts'

export const SHAPES = ['steady', 'bursts', 'poisson'] as const

export interface Bound {
  readonly least: number
  readonly most: number
  readonly whole?: true
  /** Whether 0 is taken besides. */
  readonly orZero?: true
}

/** By the name of the setting, as messages have it. */
export const LAB_BOUNDS = {
  'events.rate': { least: 0.0166, most: 100 },
  'events.size': { least: 64, most: 65_536, whole: true },
  clients: { least: 0, most: 500, whole: true },
  pollEvery: { least: 100, most: 600_000 },
  'network.delay': { least: 0, most: 5_000 },
  'network.cutAfter': { least: 500, most: 600_000, orZero: true },
  seconds: { least: 2, most: 300 },
} as const satisfies Record<string, Bound>
export type Bounded = keyof typeof LAB_BOUNDS

/** What one machine can do besides being measured. Of each technique. */
export const LAB_LIMITS = {
  /** Events that reach clients, a second. */
  deliveries: 10_000,
  /** Bytes of their data, a second. */
  bytes: 32 * 1024 * 1024,
  /** Polls, a second. */
  polls: 2_500,
  /** Bytes of data that a run leaves in the log until it is over. */
  kept: 256 * 1024 * 1024,
} as const

export class SettingError extends Error {
  /** `events.rate` */
  readonly setting: string
  override readonly name = 'SettingError'

  /** @param expected Goes on after "Expected `events.rate`". */
  constructor(setting: string, expected: string) {
    super(`Expected \`${setting}\` ${expected}`)
    this.setting = setting
  }
}

/** What is not said is as in `defaults`. @throws {SettingError} */
export function labSettings(value: unknown, defaults: LabSettings = DEFAULT_SETTINGS): LabSettings {
  const asked = members(value, 'settings', Object.keys(defaults))
  const events = members(asked['events'] ?? {}, 'events', Object.keys(defaults.events))
  const network = members(asked['network'] ?? {}, 'network', Object.keys(defaults.network))
  return checkedTogether({
    techniques: techniquesOf(asked['techniques'] ?? defaults.techniques),
    events: {
      rate: numberOf('events.rate', events['rate'] ?? defaults.events.rate),
      shape: shapeOf(events['shape'] ?? defaults.events.shape),
      size: numberOf('events.size', events['size'] ?? defaults.events.size),
    },
    clients: numberOf('clients', asked['clients'] ?? defaults.clients),
    pollEvery: numberOf('pollEvery', asked['pollEvery'] ?? defaults.pollEvery),
    network: {
      delay: numberOf('network.delay', network['delay'] ?? defaults.network.delay),
      buffering: booleanOf('network.buffering', network['buffering'] ?? defaults.network.buffering),
      cutAfter: numberOf('network.cutAfter', network['cutAfter'] ?? defaults.network.cutAfter),
    },
    seconds: numberOf('seconds', asked['seconds'] ?? defaults.seconds),
    cpu: booleanOf('cpu', asked['cpu'] ?? defaults.cpu),
  })
}

/** @throws {SettingError} */
function checkedTogether(settings: LabSettings): LabSettings {
  const { clients, events, pollEvery, seconds, techniques } = settings
  const deliveries = events.rate * clients
  if (deliveries > LAB_LIMITS.deliveries)
    throw new SettingError(
      'clients',
      `times \`events.rate\` to be at most ${LAB_LIMITS.deliveries} deliveries a second, got ${Math.round(deliveries)}`,
    )
  if (deliveries * events.size > LAB_LIMITS.bytes)
    throw new SettingError(
      'events.size',
      `times \`clients\` and \`events.rate\` to be at most ${LAB_LIMITS.bytes} bytes a second, got ${Math.round(deliveries * events.size)}`,
    )
  const kept = events.rate * events.size * seconds
  if (kept > LAB_LIMITS.kept)
    throw new SettingError(
      'seconds',
      `times \`events.rate\` and \`events.size\` to be at most ${LAB_LIMITS.kept} bytes, got ${Math.round(kept)}`,
    )
  const polls = techniques.includes('poll') ? (clients * 1000) / pollEvery : 0
  if (polls > LAB_LIMITS.polls)
    throw new SettingError(
      'pollEvery',
      `to make at most ${LAB_LIMITS.polls} polls a second of all \`clients\`, got ${Math.round(polls)}`,
    )
  return settings
}

function members(
  value: unknown,
  setting: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SettingError(setting, 'to be an object')
  const strange = Object.keys(value).find((name) => !known.includes(name))
  if (strange !== undefined)
    throw new SettingError(
      setting,
      `to have no other members than ${known.join(', ')}, got ${shown(strange)}`,
    )
  return value as Record<string, unknown>
}

function techniquesOf(value: unknown): readonly Technique[] {
  const named = Array.isArray(value) ? TECHNIQUES.filter((one) => value.includes(one)) : []
  if (Array.isArray(value) && named.length > 0 && named.length === value.length) return named
  throw new SettingError('techniques', `to be a list of ${TECHNIQUES.join(', ')}, at least one, each once`)
}

function shapeOf(value: unknown): LabSettings['events']['shape'] {
  const shape = SHAPES.find((one) => one === value)
  if (shape !== undefined) return shape
  throw new SettingError('events.shape', `to be ${SHAPES.join(', ')}, got ${shown(value)}`)
}

export function numberOf(setting: Bounded, value: unknown): number {
  const { least, most, whole, orZero }: Bound = LAB_BOUNDS[setting]
  if (typeof value === 'number' && (!whole || Number.isInteger(value))) {
    if ((value >= least && value <= most) || (orZero && value === 0)) return value
  }
  const what = whole ? 'a whole number' : 'a number'
  const zero = orZero ? ', or 0 for never' : ''
  throw new SettingError(setting, `to be ${what} from ${least} to ${most}${zero}, got ${shown(value)}`)
}

function booleanOf(setting: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new SettingError(setting, `to be true or false, got ${shown(value)}`)
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 40)
}
