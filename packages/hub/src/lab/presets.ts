/** Tasks to begin with, by name: what the page and `downlink lab` offer. Pure. */
import { type LabSettings, TECHNIQUES } from './report.ts'

/** In the order in which they are shown. */
export const PRESETS = ['notifications', 'chat', 'dashboard', 'orders', 'ticks'] as const
export type Preset = (typeof PRESETS)[number]

const PLAIN = { delay: 0, buffering: false, cutAfter: 0 } as const

/** Each is over within a minute, and long enough for some events. */
export const LAB_PRESETS: Readonly<Record<Preset, LabSettings>> = {
  /** Something for somebody, now and then: one in twenty seconds. */
  notifications: {
    techniques: TECHNIQUES,
    events: { rate: 0.05, shape: 'poisson', size: 300 },
    clients: 50,
    pollEvery: 15_000,
    network: PLAIN,
    seconds: 60,
    cpu: true,
  },
  /** The words of an answer as they are made: twenty a second, small ones. */
  chat: {
    techniques: TECHNIQUES,
    events: { rate: 20, shape: 'steady', size: 80 },
    clients: 20,
    pollEvery: 1_000,
    network: PLAIN,
    seconds: 15,
    cpu: true,
  },
  /** Figures that are told anew each second. */
  dashboard: {
    techniques: TECHNIQUES,
    events: { rate: 1, shape: 'steady', size: 1_000 },
    clients: 50,
    pollEvery: 2_000,
    network: PLAIN,
    seconds: 20,
    cpu: true,
  },
  /** An order is packed, sent, delivered: one step in five seconds. */
  orders: {
    techniques: TECHNIQUES,
    events: { rate: 0.2, shape: 'poisson', size: 400 },
    clients: 50,
    pollEvery: 5_000,
    network: PLAIN,
    seconds: 40,
    cpu: true,
  },
  /** Prices: fifty a second, ten at once. */
  ticks: {
    techniques: TECHNIQUES,
    events: { rate: 50, shape: 'bursts', size: 120 },
    clients: 50,
    pollEvery: 1_000,
    network: PLAIN,
    seconds: 15,
    cpu: true,
  },
}

/** What holds for all that was not said. */
export const DEFAULT_SETTINGS: LabSettings = LAB_PRESETS.dashboard
