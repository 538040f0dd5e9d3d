/** What the hub knows of one reader, for people who look after it. */

export interface ReaderInfo {
  /** Its own among all that this hub has had since it started. */
  readonly id: number
  /** Who holds it; `''` when nobody said who. */
  readonly subject: string
  /** The client's address, where it is known. */
  readonly address?: string
  /** What the client calls itself: visible ASCII and spaces, 200 characters at most; absent when it does not say. */
  readonly userAgent?: string
  readonly transport: 'sse' | 'websocket' | 'long-poll'
  /** Names, then patterns. */
  readonly channels: readonly string[]
  /** The cursor up to which it has been given everything. */
  readonly position: string
  /** Positions of the whole hub that it is behind, so at most as many events; 0 while it is live. */
  readonly lag: number
  /** How the stream is compressed; absent when it is not. */
  readonly coding?: 'gzip' | 'zstd'
  /** Bytes that wait for its connection to take them, where the connection can tell. */
  readonly bytesWaiting?: number
  /** Since when it has been open, in milliseconds since 1970; long polls do not remember. */
  readonly since?: number
  /** Since when its connection takes no more, in milliseconds since 1970; absent when it does. */
  readonly slowSince?: number
}
