/** Node 22 warns of `node:sqlite` whenever it is loaded; that is ours to know, and no news for the users of a command. */

/** From now on. Must come before what is to be quiet is loaded. Idempotent. */
export function hushExperimentalWarnings(): void {
  if (hushed) return
  hushed = true
  const emit = process.emitWarning.bind(process) as (warning: string | Error, ...rest: unknown[]) => void
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    const [first] = rest
    const type = typeof first === 'object' && first !== null && 'type' in first ? first.type : first
    const name = warning instanceof Error ? warning.name : type
    if (name !== 'ExperimentalWarning') emit(warning, ...rest)
  }
}

let hushed = false
