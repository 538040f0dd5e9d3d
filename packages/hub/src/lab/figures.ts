/** Times, sizes and rates as people read them, in any language. Pure. */

export interface Figures {
  readonly count: (value: number) => string
  /** `640 B`, `1.5 kB`. */
  readonly bytes: (value: number) => string
  /** @param value Milliseconds; from a second on `2.5 s`, from two minutes on `3 min`. */
  readonly time: (value: number) => string
}

interface Units {
  readonly bytes: readonly string[]
  readonly ms: string
  readonly s: string
  readonly min: string
}

export const ENGLISH_UNITS: Units = { bytes: ['B', 'kB', 'MB', 'GB'], ms: 'ms', s: 's', min: 'min' }
export const RUSSIAN_UNITS: Units = { bytes: ['Б', 'кБ', 'МБ', 'ГБ'], ms: 'мс', s: 'с', min: 'мин' }

/** @param language A BCP 47 tag, for the decimal mark. */
export function figures(language: string, units: Units): Figures {
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 })
  const fine = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  // A no-break space between number and unit.
  const say = (value: number, unit: string): string =>
    `${(Math.abs(value) < 9.95 ? fine : whole).format(value)}\u00A0${unit}`
  return {
    count: (value) => (Math.abs(value) < 9.95 ? fine : whole).format(value),
    bytes(value) {
      let [amount, unit] = [value, 0]
      while (Math.abs(amount) >= 999.5 && unit < units.bytes.length - 1) {
        amount /= 1000
        unit++
      }
      return unit === 0
        ? `${whole.format(amount)}\u00A0${units.bytes[0]}`
        : say(amount, units.bytes[unit] ?? '')
    },
    time(value) {
      if (value < 999.5) return say(value, units.ms)
      return value < 119_500 ? say(value / 1000, units.s) : say(value / 60_000, units.min)
    },
  }
}
