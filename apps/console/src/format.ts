/** Numbers, amounts and times as people read them. Pure: the language comes from outside. */

/** To make one costs more than all that it then does. */
const numbers = new Map<string, Intl.NumberFormat>()

function number(value: number, language: string, maximumFractionDigits: number): string {
  const key = `${language} ${maximumFractionDigits}`
  let format = numbers.get(key)
  if (format === undefined) {
    format = new Intl.NumberFormat(language, { maximumFractionDigits })
    numbers.set(key, format)
  }
  return format.format(value)
}

export function count(value: number, language: string): string {
  return number(value, language, value < 10 ? 1 : 0)
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']
const RUSSIAN_UNITS = ['Б', 'КБ', 'МБ', 'ГБ', 'ТБ']

export function bytes(value: number, language: string): string {
  let unit = 0
  let amount = value
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000
    unit++
  }
  const digits = unit > 0 && amount < 10 ? 1 : 0
  return `${number(amount, language, digits)} ${(language === 'ru' ? RUSSIAN_UNITS : UNITS)[unit]}`
}

export function milliseconds(value: number, language: string): string {
  const digits = value < 1 ? 2 : value < 10 ? 1 : 0
  return `${number(value, language, digits)} ${language === 'ru' ? 'мс' : 'ms'}`
}

const STEPS: readonly (readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]

const ages = new Map<string, Intl.RelativeTimeFormat>()

/** @param since Milliseconds since 1970. */
export function age(since: number, now: number, language: string): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  if (seconds === 0) return language === 'ru' ? 'сейчас' : 'now'
  const [size, unit] = STEPS.find(([step]) => seconds >= step) ?? [1, 'second']
  let format = ages.get(language)
  if (format === undefined) {
    format = new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'short' })
    ages.set(language, format)
  }
  return format.format(-Math.floor(seconds / size), unit)
}

const moments = new Map<string, Intl.DateTimeFormat>()

/** The time of day, to the second. */
export function moment(time: number, language: string): string {
  let format = moments.get(language)
  if (format === undefined) {
    const digits = '2-digit'
    format = new Intl.DateTimeFormat(language, {
      hour: digits,
      minute: digits,
      second: digits,
      hour12: false,
    })
    moments.set(language, format)
  }
  return format.format(new Date(time))
}

const clocks = new Map<string, Intl.DateTimeFormat>()

export function clock(time: number | string, language: string): string {
  let format = clocks.get(language)
  if (format === undefined) {
    format = new Intl.DateTimeFormat(language, {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hour12: false,
    })
    clocks.set(language, format)
  }
  return format.format(new Date(time))
}
