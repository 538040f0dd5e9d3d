/** Where a log lives: `memory`, or `sqlite:PATH`. Pure. */

export type LogPlace = { readonly engine: 'memory' } | { readonly engine: 'sqlite'; readonly path: string }

/** What `downlink serve` and `downlink log` mean when nothing else is said. */
export const DEFAULT_PLACE = { engine: 'sqlite', path: './data/log.db' } as const

export const EXPECTED_PLACE =
  'Expected memory, or sqlite: and the path of a file, such as sqlite:./data/log.db'

/** Undefined when it is none. */
export function placeOf(text: string): LogPlace | undefined {
  if (text === 'memory') return { engine: 'memory' }
  const path = /^sqlite:([^\0]+)$/.exec(text)?.[1]
  // A folder would have to be guessed a file name.
  if (path === undefined || /[/\\]$/.test(path)) return undefined
  return { engine: 'sqlite', path }
}
