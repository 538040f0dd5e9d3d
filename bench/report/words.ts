/** Figures as they are written. */

/** Three digits that count. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

/** Rates and counts: to three digits. */
export function count(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 0 })
}

export function bytes(value: number): string {
  const [size, unit] = (
    [
      [1e9, 'GB'],
      [1e6, 'MB'],
      [1e3, 'KB'],
      [1, 'B'],
    ] as const
  ).find(([size]) => value >= size) ?? [1, 'B']
  return `${figure(value / size)} ${unit}`
}
