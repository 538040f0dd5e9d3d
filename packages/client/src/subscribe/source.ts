/** The seam between reading and deciding: a source reads and tells what it sees, the subscription decides what to do about it. */
import type { Gap } from '@downlink/wire'
import type { Update } from './types.ts'

/** What comes, in order. `id` is the cursor after it; `''` where there is none. */
export type Item =
  | { readonly kind: 'event'; readonly id: string; readonly value: Update<string, string> }
  | { readonly kind: 'gap'; readonly id: string; readonly value: Gap }
  | { readonly kind: 'end'; readonly id: string; readonly value: { readonly channel: string } }
  /** Nothing but a fresh cursor. */
  | { readonly kind: 'cursor'; readonly id: string; readonly value?: undefined }

/** Where reading stands. It outlives sources. */
export interface Place {
  /** What was read up to, though perhaps not handled yet. */
  cursor: string | undefined
  /** Where the first read begins, until there is a cursor: parameters of the query. */
  readonly start: Readonly<Record<string, string>>
  /** Whether the server is a hub; undefined until that is known. */
  hub: boolean | undefined
  /** What the server asked to stay away for after a stream has ended, in milliseconds. */
  retry: number
  /** Events of the next page at most: fewer after a page that did not come through whole. */
  limit?: number
}

/** Takes what a source sees. */
export interface Receiver {
  /**
   * Reading begins, or bytes came: the next are due within `dead` milliseconds, or the source is given up; at `suspect` it is
   * looked into. Without times nothing is due.
   */
  readonly heard: (dead?: number, suspect?: number) => void
  /** It is certain that the server answers. */
  opened(): void
  /**
   * Takes all of it at once.
   *
   * @param silence How long the source had waited for these bytes, in milliseconds
   * @returns a promise when no more is to be read before it resolves
   */
  take(items: readonly Item[], silence?: number): Promise<void> | undefined
}

export interface Source {
  /**
   * Reads on from `place` until it ends: `ended`, as streams do; `soon`, its channels may have ended, and asking once more makes
   * sure; `over`, nothing more will come, ever. It goes by the signal at once, and what it tells after that is not heard.
   *
   * @throws {SubscribeError} what it meets; anything else counts as a lost connection
   */
  read(place: Place, to: Receiver, signal: AbortSignal): Promise<'ended' | 'soon' | 'over'>
}
