/** What `downlink lab` prints: a table, the recommendation, CSV. Pure. */
import type { Advice } from '../lab/advice-data.ts'
import { ENGLISH } from '../lab/advice-words.ts'
import { ENGLISH_UNITS, figures } from '../lab/figures.ts'
import { LAB_PRESETS, PRESETS } from '../lab/presets.ts'
import type { LabReport, LabSettings, Technique, TechniqueReport } from '../lab/report.ts'

const { bytes, count, time } = figures('en', ENGLISH_UNITS)

const HEADS: Readonly<Record<Technique, string>> = {
  poll: 'polling',
  'long-poll': 'long polling',
  sse: 'SSE',
  websocket: 'WebSocket',
}

export interface LabPlace {
  readonly place: string
  readonly noCpu?: string
  /** The preset. */
  readonly task?: string
  /** Columns of the terminal. */
  readonly width: number
}

export function labText(report: LabReport, advice: Advice, { place, noCpu, task, width }: LabPlace): string {
  const { elapsed, published, settings, state } = report
  const stopped = state === 'stopped' ? `Stopped after ${time(elapsed)}. ` : ''
  const head = [
    `${task === undefined ? 'Task' : task}: ${taskOf(settings)}.`,
    `Measured on ${place}. ${stopped}${published} ${published === 1 ? 'event was' : 'events were'} published in ${time(elapsed)}.`,
  ]
  const notes = noCpu === undefined ? [] : [`CPU is not shown: ${noCpu}.`]
  return plainSpaces(
    [
      ...head.map((line) => wrapped(line, width)),
      '',
      table(rowsOf(report, advice)),
      ...notes.map((line) => `\n${wrapped(line, width)}`),
      '',
      adviceText(advice, width),
    ].join('\n'),
  )
}

/** `1 event a second, evenly, of 1,000 bytes; 50 clients of each …`. */
function taskOf({ clients, events, network, pollEvery, seconds, techniques }: LabSettings): string {
  const { rate, shape, size } = events
  const how = { steady: 'evenly', bursts: 'ten at once', poisson: 'at random' }[shape]
  const polls = techniques.includes('poll') ? [`a poll every ${time(pollEvery)}`] : []
  const added = [
    ...(network.delay > 0 ? [`${time(network.delay)} added each way`] : []),
    ...(network.buffering ? ['a proxy that buffers'] : []),
    ...(network.cutAfter > 0 ? [`connections cut after ${time(network.cutAfter)}`] : []),
  ]
  return [
    `${oftenText(rate)}, ${how}, of ${count(size)} bytes`,
    `${count(clients)} clients of each`,
    ...polls,
    ...added,
    `for ${time(seconds * 1000)}`,
  ].join(', ')
}

/** What the presets are, for `--help`. */
export function presetsText(): string {
  const lines = PRESETS.map((name) => {
    const { events, pollEvery, seconds } = LAB_PRESETS[name]
    const polls = `polls every ${time(pollEvery)}`
    return `  ${name.padEnd(15)}${oftenText(events.rate)} of ${count(events.size)} bytes, ${polls}, ${time(seconds * 1000)} long`
  })
  return plainSpaces(lines.join('\n'))
}

function oftenText(rate: number): string {
  if (rate < 1) return `an event every ${time(1000 / rate)}`
  return `${count(rate)} ${rate === 1 ? 'event' : 'events'} a second`
}

interface Row {
  readonly name: string
  readonly cells: readonly string[]
}

function rowsOf({ settings, techniques }: LabReport, advice: Advice): readonly Row[] {
  const shown = settings.techniques.flatMap((technique) => {
    const figures = techniques[technique]
    return figures ? [{ technique, ...figures }] : []
  })
  type Shown = TechniqueReport & { readonly technique: Technique }
  const row = (name: string, cell: (of: Shown) => string): Row => ({ name, cells: shown.map(cell) })
  const share = (part: number, of: number): string => (of === 0 ? '-' : `${Math.round((100 * part) / of)} %`)
  const each = (sum: number, { crowd }: Shown): string =>
    crowd.received === 0 ? '-' : bytes(sum / crowd.received)
  const delay = (ms: (delays: Shown['crowd']['delays']) => number) => (of: Shown) =>
    of.crowd.delays.count === 0 ? '-' : time(ms(of.crowd.delays))
  const longRun = (pick: (standing: Advice['standings'][number]) => string) => (of: Shown) => {
    const standing = advice.standings.find(({ technique }) => technique === of.technique)
    return standing ? pick(standing) : '-'
  }
  const rows = [
    { name: '', cells: shown.map(({ technique }) => HEADS[technique]) },
    row('requests, of all clients', ({ requests }) => count(requests)),
    row('  of them empty', ({ empty, requests }) => share(empty, requests)),
    ...(shown.some(({ refused }) => refused > 0) ? [row('  refused', ({ refused }) => count(refused))] : []),
    row('connections, at the most', ({ mostConnections }) => count(mostConnections)),
    row('for each event a client got: up', (of) => each(of.bytesIn.head + of.bytesIn.body, of)),
    row('  down, heads', (of) => each(of.bytesOut.head, of)),
    row('  down, bodies', (of) => each(of.bytesOut.body, of)),
    row(
      'a client a minute, in the long run',
      longRun(({ bytesPerMinute }) => bytes(bytesPerMinute)),
    ),
    row(
      '  its requests',
      longRun(({ requestsPerMinute }) => rateText(requestsPerMinute)),
    ),
    row(
      'half of the events within',
      delay(({ p50 }) => p50),
    ),
    row(
      '99 % within',
      delay(({ p99 }) => p99),
    ),
    row('missed', ({ crowd }) => count(crowd.missed)),
  ]
  if (!shown.some(({ cpu }) => cpu)) return rows
  return [
    ...rows,
    row("hub's CPU for each event a client got", ({ cpu }) => cpuText(cpu)),
    row('  for all clients, a second', ({ cpu }) => (cpu ? `${small(cpu.perSecond)} ms` : '-')),
  ]
}

function rateText(perMinute: number): string {
  return perMinute >= 0.1 ? count(perMinute) : '< 0.1'
}

/** What is within what it may be off by is not told as a figure. */
function cpuText(cpu: TechniqueReport['cpu']): string {
  if (cpu === undefined) return '-'
  if (cpu.perDelivery <= cpu.plusMinus) return `< ${count(cpu.perDelivery + cpu.plusMinus)} µs`
  return `${count(cpu.perDelivery)} ± ${count(cpu.plusMinus)} µs`
}

function small(value: number): string {
  return value < 0.1 ? '< 0.1' : count(value)
}

function table(rows: readonly Row[]): string {
  const first = Math.max(...rows.map(({ name }) => name.length))
  const columns = (rows[0]?.cells ?? []).map((_, at) =>
    Math.max(...rows.map(({ cells }) => (cells[at] ?? '').length)),
  )
  return rows
    .map(({ name, cells }) =>
      [name.padEnd(first), ...cells.map((cell, at) => cell.padStart(columns[at] ?? 0))].join('   ').trimEnd(),
    )
    .join('\n')
}

function adviceText(advice: Advice, width: number): string {
  const { against, choice, crossings, reasons, ties, unknowns } = advice
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['Why', reasons.map((one) => ENGLISH.reason(one))],
    ['But', against.map((one) => ENGLISH.caveat(one))],
    ['Where the lines cross', crossings.map((one) => ENGLISH.crossing(one))],
    ['Not known', unknowns.map((one) => ENGLISH.unknown(one))],
  ]
  const said = parts
    .filter(([, sentences]) => sentences.length > 0)
    .map(([title, sentences]) => {
      const lines = sentences.map((sentence) => wrapped(`- ${sentence}`, width - 2, '    '))
      return [`${title}:`, ...lines.map((line) => `  ${line}`)].join('\n')
    })
  return `${[choice ? ENGLISH.choice(choice, ties) : ENGLISH.noChoice, ...said].join('\n\n')}\n`
}

function wrapped(text: string, width: number, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = indent + word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}

/** Terminals, and those who search in what they print, know one kind of space. */
function plainSpaces(text: string): string {
  return text.replaceAll('\u00A0', ' ')
}

export function progressLine({ elapsed, published, settings, state }: LabReport): string {
  if (state === 'measuring-cpu') return 'measuring CPU, technique by technique …'
  const seconds = Math.min(settings.seconds, Math.floor(elapsed / 1000))
  return `${seconds} s of ${settings.seconds} s, ${published} ${published === 1 ? 'event' : 'events'} …`
}

const COLUMNS: readonly (readonly [string, (of: TechniqueReport) => number | undefined])[] = [
  ['requests', ({ requests }) => requests],
  ['empty', ({ empty }) => empty],
  ['refused', ({ refused }) => refused],
  ['connections_most', ({ mostConnections }) => mostConnections],
  ['bytes_up_head', ({ bytesIn }) => bytesIn.head],
  ['bytes_up_body', ({ bytesIn }) => bytesIn.body],
  ['bytes_down_head', ({ bytesOut }) => bytesOut.head],
  ['bytes_down_body', ({ bytesOut }) => bytesOut.body],
  ['received', ({ crowd }) => crowd.received],
  ['missed', ({ crowd }) => crowd.missed],
  ['twice', ({ crowd }) => crowd.twice],
  ['delay_p50_ms', ({ crowd }) => crowd.delays.p50],
  ['delay_p99_ms', ({ crowd }) => crowd.delays.p99],
  ['delay_max_ms', ({ crowd }) => crowd.delays.max],
  ['cpu_us_per_delivery', ({ cpu }) => cpu?.perDelivery],
  ['cpu_us_plus_minus', ({ cpu }) => cpu?.plusMinus],
  ['cpu_ms_per_second', ({ cpu }) => cpu?.perSecond],
]

/** A line for each technique, with what was asked for in front, so that runs can be put together in one file. */
export function labCsv({ elapsed, published, settings, techniques }: LabReport): string {
  const { clients, events, network, pollEvery } = settings
  const asked: Readonly<Record<string, string | number>> = {
    rate: events.rate,
    shape: events.shape,
    size: events.size,
    clients,
    poll_every_ms: pollEvery,
    delay_ms: network.delay,
    buffering: String(network.buffering),
    cut_after_ms: network.cutAfter,
    elapsed_ms: Math.round(elapsed),
    published,
  }
  const lines = settings.techniques.flatMap((technique) => {
    const figures = techniques[technique]
    if (!figures) return []
    return [[technique, ...Object.values(asked), ...COLUMNS.map(([, of]) => of(figures) ?? '')]]
  })
  const head = ['technique', ...Object.keys(asked), ...COLUMNS.map(([name]) => name)]
  return [head, ...lines].map((line) => `${line.join(',')}\n`).join('')
}
