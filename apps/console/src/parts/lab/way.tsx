/** How a way of reading is marked, everywhere: a colour, a shape, its name. */
import type { Technique } from '../../lab/shared.ts'

/** Within a square of 12. */
const SHAPES: Readonly<Record<Technique, string>> = {
  poll: 'M6 1a5 5 0 1 0 0.001 0z',
  'long-poll': 'M1.5 1.5h9v9h-9z',
  sse: 'M6 0.8L11.5 10.6h-11z',
  websocket: 'M6 0.3L11.7 6L6 11.7L0.3 6z',
}

export function WayMark({ technique }: { technique: Technique }) {
  return (
    <svg class={`way-mark way-${technique}`} viewBox="0 0 12 12" aria-hidden="true">
      <path d={SHAPES[technique]} />
    </svg>
  )
}

export function shapeOf(technique: Technique): Path2D {
  return new Path2D(SHAPES[technique])
}
