/** Numbers, amounts and times as people read them. Pure: the language comes from outside. */

export function count(value: number, language: string): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

export function bytes(value: number, language: string): string {
  let unit = 0
  let amount = value
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000
    unit++
  }
  const digits = unit > 0 && amount < 10 ? 1 : 0
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(amount)} ${UNITS[unit]}`
}

export function milliseconds(value: number, language: string): string {
  const digits = value < 10 ? 1 : 0
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value)} ms`
}

const STEPS: readonly (readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]

/** @param since Milliseconds since 1970. */
export function age(since: number, now: number, language: string): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  const [size, unit] = STEPS.find(([step]) => seconds >= step) ?? [1, 'second']
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'short' })
  return format.format(-Math.floor(seconds / size), unit)
}

export function clock(time: number | string, language: string): string {
  return new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hour12: false,
  }).format(new Date(time))
}
