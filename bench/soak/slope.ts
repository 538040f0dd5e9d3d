/** A line through points, by least squares. Pure. */

export interface Line {
  /** Of y, for each 1 of x. */
  readonly slope: number
  /** Its standard error. */
  readonly error: number
}

export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const count = points.length
  const mean = (of: (point: { readonly x: number; readonly y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / count
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  const slope = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread
  const rest = points.reduce((sum, point) => sum + (point.y - y - slope * (point.x - x)) ** 2, 0)
  return { slope, error: Math.sqrt(rest / (count - 2) / spread) }
}
