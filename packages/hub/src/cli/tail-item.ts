/** What a tail is made of, and what is asked for. */
import type { PageEvent } from '@downlink/wire'

export type TailItem =
  | { readonly kind: 'event'; readonly event: PageEvent }
  | {
      readonly kind: 'gap'
      /** A newer hub may know more reasons than this program. */
      readonly reason: string
      readonly channels: readonly string[]
      readonly to: string
    }
  | { readonly kind: 'end'; readonly channel: string }

export type TailTransport = 'sse' | 'long-poll' | 'poll'

export interface TailRequest {
  /** Without a slash at the end. */
  readonly hub: string
  /** Names and patterns. */
  readonly channels: readonly string[]
  readonly start: { readonly after: string } | { readonly last: number }
  readonly transport: TailTransport
  readonly headers: readonly (readonly [name: string, value: string])[]
}
