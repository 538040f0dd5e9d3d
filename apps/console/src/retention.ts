/** How much of a channel is kept: by count, age and bytes, whichever comes first. Pure. */
import { bytes, count } from './format.ts'

export interface Retention {
  readonly count?: number
  /** Milliseconds. */
  readonly age?: number
  readonly bytes?: number
}

/** As people read it; `''` when nothing limits it, or nobody knows. */
export function keptOf(
  retention: Retention | undefined,
  language: string,
  words: { readonly keptCount: (count: string) => string },
): string {
  const parts: string[] = []
  if (retention?.count !== undefined) parts.push(words.keptCount(count(retention.count, language)))
  if (retention?.age !== undefined) parts.push(duration(retention.age, language))
  if (retention?.bytes !== undefined) parts.push(bytes(retention.bytes, language))
  return parts.join(', ')
}

const formats = new Map<string, Intl.NumberFormat>()

/** @param ms Milliseconds. */
function duration(ms: number, language: string): string {
  const [unit, size] = (
    [
      ['day', 86_400_000],
      ['hour', 3_600_000],
      ['minute', 60_000],
      ['second', 1_000],
    ] as const
  ).find(([, size]) => ms >= size && (ms % size === 0 || ms >= 10 * size)) ?? ['second', 1_000]
  const key = `${language} ${unit}`
  let format = formats.get(key)
  if (format === undefined) {
    format = new Intl.NumberFormat(language, {
      style: 'unit',
      unit,
      unitDisplay: 'short',
      maximumFractionDigits: 1,
    })
    formats.set(key, format)
  }
  return format.format(ms / size)
}
