/** Epochs and what their cursors are worth. Pure: randomness comes in. */
import type { LogState, Position } from './log.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** 62^8 names: two logs, or two starts of one, don't meet on the same by accident. */
const NAME_LENGTH = 8

/** `random` gives numbers from 0 up to, but not, 1. */
export function newEpochName(random: () => number): string {
  let name = ''
  while (name.length < NAME_LENGTH) name += ALPHABET[Math.floor(random() * ALPHABET.length)]
  return name
}

/** `epoch`: the log forgot what the cursor had seen. `unknown`: this log never gave out such a cursor. */
export type Resolved = { readonly position: Position } | { readonly gap: 'epoch' | 'unknown' }

/**
 * What a cursor means for this log. One of the present epoch is good up to the frontier. One of an ancestor is good up to
 * where every epoch since continues the one before it, since so far they hold the same at the same positions.
 */
export function resolve(
  state: LogState,
  cursor: { readonly epoch: string; readonly position: Position },
): Resolved {
  // Positions beyond this differ between the epoch looked at and the present one.
  let shared = state.frontier
  for (const [age, epoch] of state.epochs.entries()) {
    if (epoch.name === cursor.epoch) return judge(cursor.position, shared, age === 0 ? 'unknown' : 'epoch')
    if (epoch.parent) shared = Math.min(shared, epoch.parent.upTo)
  }
  // The engine may have let go of the oldest epochs; the last one it keeps still says whom it continues.
  const oldest = state.epochs.at(-1)
  if (oldest?.parent?.name === cursor.epoch) return judge(cursor.position, shared, 'epoch')
  return { gap: 'unknown' }
}

function judge(position: Position, shared: Position, otherwise: 'epoch' | 'unknown'): Resolved {
  return position <= shared ? { position } : { gap: otherwise }
}
