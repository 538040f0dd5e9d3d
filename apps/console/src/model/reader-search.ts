/** Finding readers, and what they call themselves. Pure. */
import type { Reader, Transport } from './readers.ts'

export type ReaderSort =
  | 'id'
  | 'channels'
  | 'transport'
  | 'subject'
  | 'address'
  | 'since'
  | 'lag'
  | 'waiting'
  | 'agent'

export interface ReaderWish {
  /** A part of a channel, of who it is, of the address or of what the client calls itself. */
  readonly text: string
  /** Undefined: all. */
  readonly transport?: Transport | undefined
  readonly sort: ReaderSort
  readonly descending: boolean
}

export function findReaders(readers: readonly Reader[], wish: ReaderWish): readonly Reader[] {
  const wanted = wish.text.trim().toLowerCase()
  const found = readers.filter(
    (reader) => (wish.transport === undefined || reader.transport === wish.transport) && says(reader, wanted),
  )
  const key = KEYS[wish.sort]
  const sign = wish.descending ? -1 : 1
  return found.sort((one, other) => sign * compare(key(one), key(other)) || one.id - other.id)
}

function says({ channels, subject, address = '', userAgent = '' }: Reader, wanted: string): boolean {
  if (wanted === '') return true
  return [...channels, subject, address, userAgent].some((text) => text.toLowerCase().includes(wanted))
}

const KEYS: Readonly<Record<ReaderSort, (reader: Reader) => number | string>> = {
  id: ({ id }) => id,
  channels: ({ channels }) => channels[0] ?? '',
  transport: ({ transport }) => transport,
  subject: ({ subject }) => subject,
  address: ({ address = '' }) => address,
  // Who came last is the youngest: those that don't remember come first.
  since: ({ since = 0 }) => since,
  lag: ({ lag }) => lag,
  waiting: ({ bytesWaiting = 0 }) => bytesWaiting,
  agent: ({ userAgent = '' }) => agentName(userAgent).toLowerCase(),
}

function compare(one: number | string, other: number | string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** Those that pretend to be another come before it. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\/(\d+)/, 'Edge'],
  [/\bOPR\/(\d+)/, 'Opera'],
  [/\bYaBrowser\/(\d+)/, 'Yandex Browser'],
  [/\bSamsungBrowser\/(\d+)/, 'Samsung Internet'],
  [/\bFirefox\/(\d+)/, 'Firefox'],
  [/\bHeadlessChrome\/(\d+)/, 'Chrome (headless)'],
  [/\bChrome\/(\d+)/, 'Chrome'],
  [/\bVersion\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari\//, 'Safari'],
]

/** What a browser is called and its version, or the first word that another client says. */
export function agentName(userAgent: string): string {
  for (const [sign, name] of KNOWN) {
    const version = sign.exec(userAgent)?.[1]
    if (version !== undefined) return `${name} ${version}`
  }
  const [, name = '', version] = /^([^\s/]*)(?:\/(\d+(?:\.\d+)?))?/.exec(userAgent) ?? []
  return version === undefined ? name : `${name} ${version}`
}
