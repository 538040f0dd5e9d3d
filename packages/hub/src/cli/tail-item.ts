/** What a tail is made of, and where it has come to. */
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

/** Outlives connections. */
export interface Place {
  /** Where the next read begins; absent until the hub has named a first one. */
  cursor?: string
  /** How long the hub asked to stay away after a stream has ended, or between polls. */
  retryMs: number
  /** Between heartbeats, as the hub announced it. */
  heartbeatMs: number
  /** Events of the next page at most. Default as many as a hub gives. */
  pageLimit?: number
}

/**
 * One connection, or for polls one row of them: yields what comes, and returns when it ends. `over`: there is nothing more to
 * come, ever. It rejects when the network fails, with `Refused` when the hub does, with `Failure` when going on makes no sense.
 *
 * @param opened Called when it is certain that a hub answers.
 */
export type Connection = (
  request: TailRequest,
  place: Place,
  opened: () => void,
) => AsyncGenerator<readonly TailItem[], 'over' | 'ended' | 'again', void>

export function tailUrl(
  { hub, channels, start }: TailRequest,
  { cursor }: Place,
  more: Readonly<Record<string, string>>,
): string {
  const from = cursor === undefined ? start : { after: cursor }
  const query = new URLSearchParams({
    ...('after' in from ? { after: from.after } : { last: String(from.last) }),
    ...more,
  })
  return `${hub}/channels/${channels.join(',')}?${query}`
}

/** Whether all channels read are among these; a pattern never ends. */
export function allEnded(channels: readonly string[], ended: ReadonlySet<string>): boolean {
  return channels.every((channel) => ended.has(channel))
}
