/** Who holds a stream or a waiting long poll: by this they are limited, found, and let go. */

export interface Holder {
  /** Whose it is; `''` when nobody said who. */
  readonly subject: string
  /** The client's address, where it is known. */
  readonly address?: string
  /** What the client calls itself: visible ASCII and spaces, 200 characters at most. */
  readonly userAgent?: string
  /** When the right to read ends, in milliseconds since 1970. */
  readonly until?: number
  /** When the right was given, in milliseconds since 1970: see `Hub.disconnect`. */
  readonly issued?: number
  /** What this subject may have in place of the hub's defaults. */
  readonly limits?: SubjectLimits
  /** The name of the ticket it came with: one at a time. */
  readonly ticket?: string
}

/** Limits of one subject. What is absent is as for all. */
export interface SubjectLimits {
  /** Streams and waiting long polls at a time. */
  readonly streams?: number
  /** Events published a second. */
  readonly publishes?: number
}

export const NOBODY: Holder = { subject: '' }
