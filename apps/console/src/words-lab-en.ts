/** The Lab in English. */
import {
  ENGLISH,
  ENGLISH_UNITS,
  figures,
  type LabSettings,
  type Preset,
  type Technique,
} from './lab/shared.ts'
import type { Fault, Field } from './model/lab-form.ts'

const enFigures = figures('en', ENGLISH_UNITS)

export const en = {
  figures: enFigures,
  advice: ENGLISH,
  title: 'Lab',
  intro:
    'A page wants to know what happens on a server. There are four ways to find out, and each costs something else. Choose a task: all four do it side by side, on the same events of this hub, and you see which one fits.',
  names: {
    poll: 'Polling',
    'long-poll': 'Long polling',
    sse: 'Server-Sent Events',
    websocket: 'WebSocket',
  } satisfies Record<Technique, string>,
  how: {
    poll: 'The page asks again and again: “anything new?”',
    'long-poll': 'The page asks, and the server answers only when there is something.',
    sse: 'The page asks once, and the answer never ends: each event is sent along it.',
    websocket: 'A connection of its own protocol, both ways.',
  } satisfies Record<Technique, string>,
  task: 'Your task',
  presets: {
    notifications: ['Notifications', 'Something for somebody, now and then. Half a minute late is fine.'],
    chat: ['Chat tokens', 'The words of an answer while they are made: twenty a second.'],
    dashboard: ['A dashboard', 'Figures that change each second.'],
    orders: ['Order status', 'An order is packed, sent, delivered: a step in five seconds.'],
    ticks: ['Stock ticks', 'Fifty prices a second, many at once.'],
  } satisfies Record<Preset, readonly [string, string]>,
  presetFigures: (rate: string, late: string) => `${rate}; at most ${late} late`,
  rateOf: (rate: number) =>
    rate >= 1 ? `${enFigures.count(rate)} a second` : `one in ${enFigures.time(1000 / rate)}`,
  fine: 'Fine tuning',
  fields: {
    late: 'How late an event may be shown, s',
    rate: 'Events',
    size: 'Size of an event, bytes',
    clients: 'Clients of each kind',
    pollEvery: 'Polling asks every, s',
    delay: 'Added delay each way, ms',
    cutAfter: 'Connections are cut after, s (0: never)',
    seconds: 'How long it runs, s',
    techniques: 'Ways to compare',
  } satisfies Record<Field, string>,
  events: 'Events',
  network: 'Network',
  run: 'Run',
  rateSlider: 'Events, from one a minute to 100 a second',
  per: { second: 'a second', minute: 'a minute' },
  shape: 'How they come',
  shapes: {
    steady: 'evenly',
    bursts: 'ten at once, then a pause',
    poisson: 'at random',
  } satisfies Record<LabSettings['events']['shape'], string>,
  buffering: 'A proxy in between that holds answers back until they end',
  cpu: 'Measure the hub’s CPU afterwards (about two seconds for each way)',
  fault(fault: Fault, say: (value: number) => string): string {
    switch (fault.code) {
      case 'number':
        return 'Type a number.'
      case 'bounds':
        return `Type a number from ${say(fault.least)} to ${say(fault.most)}${fault.orZero ? ', or 0' : ''}.`
      case 'whole':
        return 'Type a whole number.'
      case 'none-chosen':
        return 'Choose one at least.'
      case 'together':
        return `Together this is too much for one machine. ${fault.message}.`
    }
  },
  faults: (count: number) =>
    count === 1 ? 'One field needs another value.' : `${count} fields need other values.`,
  start: 'Run it',
  again: 'Run it again',
  stop: 'Stop',
  takes: (time: string) => `takes about ${time}`,
  starting: 'Connecting the clients…',
  running: (done: string, all: string) => `Running: ${done} of ${all}`,
  measuringCpu: 'Measuring CPU: each way by itself, one after the other…',
  done: 'Done.',
  stopped: 'Stopped. The figures are of the time until then.',
  failed: (reason: string) => `The run failed: ${reason}`,
  others: 'This run was started elsewhere: its clients are not on this page.',
  refused: {
    'lab-busy': 'Another run is under way on this hub. Wait for its end, or stop it.',
    forbidden: 'Your token does not allow that: the Lab needs inspect, and publish, read and drop on lab.**.',
    'not-found': 'The Lab is turned off on this hub.',
    network: 'The hub does not answer.',
    other: 'The hub refuses:',
  },
  stopOther: 'Stop the other run',
  verdict: 'Which way fits',
  soFar: 'So far, after',
  why: 'Why',
  against: 'What speaks against it',
  crossings: 'Where the lines cross',
  unknowns: 'Not found out',
  perClient: 'for each client',
  latePlain: (ms: string) => `Half of the events are shown within ${ms}`,
  bytesPlain: (bytes: string) => `costs ${bytes} a minute for each client`,
  out: {
    'nothing-came': 'no event came',
    missed: 'missed events',
    'held-back': 'held back on the way',
    'too-late': 'too late for this task',
  },
  best: 'fits best',
  good: 'would do as well',
  fits: 'in time',
  median: 'typical delay',
  perMinute: 'a minute for each client',
  timeline: 'Requests against events',
  timelineHow:
    'Time runs to the right. Each tick on the upper line is an event on the server; the slanted line leads to the moment when this page had it: the flatter, the later. A bar is a request, an empty bar one that brought nothing.',
  timelineNone: 'What the page’s own clients do is drawn here as soon as the run begins.',
  last: (seconds: number) => `the last ${seconds} s`,
  whole: 'the whole run',
  server: 'server',
  page: 'this page',
  view: 'Shown',
  asTable: 'As a table',
  delays: 'How late events were shown',
  delaysHow:
    'Each row: how many events took how long, on one scale, each step about twice the one before. p50, the solid line: half were quicker. p99, the dashed one: one in a hundred was slower.',
  clock: (precision: string) => `This page’s clock agrees with the hub’s within ${precision}.`,
  costs: 'What it costs',
  costsHow: 'Measured at the hub’s sockets, shared out among the clients.',
  columns: {
    technique: 'Way',
    requests: 'Requests a minute, in this run',
    empty: 'brought nothing',
    down: 'Bytes down for an event',
    up: 'Bytes up for an event',
    connections: 'Connections held',
    cpu: 'Hub’s CPU for a delivery',
    p50: 'Delay p50',
    p99: 'Delay p99',
    received: 'Events received',
    missed: 'Missed',
    twice: 'Twice',
    requestCount: 'Requests',
    failed: 'Failed',
    upTo: 'Up to',
    more: 'more',
    clients: 'Clients',
  },
  head: 'headers',
  body: 'body',
  below: (value: string) => `less than ${value}`,
  notMeasured: 'not measured',
  perEvent: 'for each event that reached a client',
  micro: (value: number) => `${enFigures.count(value)}\u00A0µs`,
  share: (value: number) => `${Math.round(value * 100)}\u00A0%`,
  csv: 'Download as CSV',
  before: 'The run before',
  compareHow: 'This run, and in brackets the one before:',
  runBefore: (rate: string, poll: string) => `${rate}, polls every ${poll}`,
}
