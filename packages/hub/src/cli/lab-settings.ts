/** What the flags of `downlink lab` say of a run: from text to settings. Pure. */
import { InvalidArgumentError } from 'commander'
import { DEFAULT_SETTINGS, LAB_PRESETS, type Preset } from '../lab/presets.ts'
import type { LabSettings, Technique } from '../lab/report.ts'
import { labSettings, SettingError } from '../lab/settings.ts'
import { Failure } from './failure.ts'

export interface LabFlags {
  readonly preset?: Preset
  /** Events a second. */
  readonly rate?: number
  readonly shape?: LabSettings['events']['shape']
  readonly size?: number
  readonly clients?: number
  /** Milliseconds. */
  readonly pollEvery?: number
  readonly delay?: number
  readonly buffering?: boolean
  readonly cutAfter?: number
  readonly seconds?: number
  readonly techniques?: readonly string[]
  readonly cpu?: boolean
}

const FLAGS: Readonly<Record<string, string>> = {
  'events.rate': '--rate',
  'events.size': '--size',
  'events.shape': '--shape',
  clients: '--clients',
  pollEvery: '--poll-every',
  'network.delay': '--delay',
  'network.cutAfter': '--cut-after',
  seconds: '--seconds',
  techniques: '--techniques',
}

/** What no flag says is as in the preset. @throws {Failure} that names the flag */
export function settingsOfFlags(flags: LabFlags, mostClients = Infinity): LabSettings {
  const preset = flags.preset === undefined ? DEFAULT_SETTINGS : LAB_PRESETS[flags.preset]
  const { rate, shape, size, clients, pollEvery, delay, buffering, cutAfter, seconds, techniques, cpu } =
    flags
  try {
    return labSettings({
      ...preset,
      events: {
        rate: rate ?? preset.events.rate,
        shape: shape ?? preset.events.shape,
        size: size ?? preset.events.size,
      },
      network: {
        delay: delay ?? preset.network.delay,
        buffering: buffering ?? preset.network.buffering,
        cutAfter: cutAfter ?? preset.network.cutAfter,
      },
      clients: clients ?? Math.min(preset.clients, mostClients),
      pollEvery: pollEvery ?? preset.pollEvery,
      seconds: seconds ?? preset.seconds,
      techniques: techniques ?? preset.techniques,
      cpu: cpu ?? preset.cpu,
    })
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    throw new Failure(error.message.replaceAll(/`([\w.]+)`/g, (_, name: string) => FLAGS[name] ?? name))
  }
}

export function techniquesValue(text: string): readonly string[] {
  const names: Readonly<Record<string, Technique>> = {
    ws: 'websocket',
    polling: 'poll',
    'long-polling': 'long-poll',
  }
  return text.split(',').map((name) => names[name.trim()] ?? name.trim())
}

export function plainNumber(text: string): number {
  if (/^\d{1,9}(?:\.\d{1,6})?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a number')
}

/** `2` and `2/s` are two a second, `6/m` six a minute. */
export function rateValue(text: string): number {
  const [, number, unit = 's'] = /^(\d{1,6}(?:\.\d{1,6})?)(?:\/(s|m))?$/.exec(text) ?? []
  if (number !== undefined) return Number(number) / (unit === 'm' ? 60 : 1)
  throw new InvalidArgumentError('Expected a number a second such as 2, or 6/m for six a minute')
}

/** Milliseconds of `200ms`, `5s`, `1.5m`; 0 is 0. */
export function shortTimeValue(text: string): number {
  const [, number, unit] = /^(\d{1,7}(?:\.\d{1,3})?)(ms|s|m)$/.exec(text) ?? []
  if (text === '0') return 0
  if (number !== undefined) return Number(number) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000)
  throw new InvalidArgumentError('Expected a time such as 200ms, 5s or 1m')
}
