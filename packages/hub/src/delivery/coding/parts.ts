/** From parts of content to pieces in a coding's form: what is packed, what is stored, and what must never be packed together. */
import type { Coder } from './coding.ts'

/** Fewer readers are given their bytes as they are: to make them smaller would take more than it saves. */
export const AUDIENCE = 8
/** Bytes below this are not worth it, whoever gets them: a heartbeat would even grow. */
export const SMALLEST = 512

/** A piece of content from which nothing may leak into another: see `codedParts`. */
export interface Part {
  /** What the reader was granted to read when it was granted this: a name or a pattern. */
  readonly grant: string
  readonly bytes: Uint8Array
}

/**
 * The bytes in the coding's form, packed where that is worth it. Parts of different grants never share a block: who can write to one
 * channel and sees how long a stream's pieces are must not learn what another says (as in BREACH).
 */
export function codedParts(coder: Coder, parts: readonly Part[], many: boolean): Uint8Array {
  const pieces: Uint8Array[] = []
  let plain: Uint8Array[] = []
  const store = (): void => {
    if (plain.length > 0) pieces.push(coder.stored(joined(plain)))
    plain = []
  }
  for (const run of runsOf(parts)) {
    const length = run.reduce((sum, bytes) => sum + bytes.length, 0)
    if (!many || length < SMALLEST) {
      plain.push(...run)
      continue
    }
    store()
    pieces.push(coder.packed(joined(run)))
  }
  store()
  return joined(pieces)
}

function* runsOf(parts: readonly Part[]): Generator<Uint8Array[], void, void> {
  let run: Uint8Array[] = []
  let grant: string | undefined
  for (const part of parts) {
    if (part.grant !== grant && run.length > 0) {
      yield run
      run = []
    }
    grant = part.grant
    run.push(part.bytes)
  }
  if (run.length > 0) yield run
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
}
