/** What one HTTP/2 connection may take. `docs/protocol.md` section 19 lists it. */
import type { ServerOptions } from 'node:http2'
import type { CalmTerms } from './calm.ts'

/**
 * Streams that end before their answer does, whoever ended them, of all connections of an address (or of one of a trusted proxy, which
 * has many clients); then the connection is told `ENHANCE_YOUR_CALM` and cut. A page that is left resets each of its streams once.
 * Opening and resetting them without end is an attack (CVE-2023-44487), and so is making the server reset them (CVE-2025-8671). The
 * numbers are nghttp2's own, which counts resets by connection.
 */
export const RESETS: CalmTerms = { burst: 1000, rate: 33 }

/**
 * Of these, streams that were reset before anything was done for them. Who does that has no use for an answer; and a hundred
 * connections that may each do it a thousand times hold everybody up for seconds.
 */
export const RAPID_RESETS: CalmTerms = { burst: 100, rate: 10 }

/** How long an address that was cut for that gets no other connection. It would come back at once. */
export const SHUN_MS = 10_000
/** Addresses of which that is known; beyond them the first is let in again. */
export const MOST_SHUNNED = 10_000

/** `PING` and `SETTINGS`, each of which is answered. Those who measure by pings send some tens a second at most. */
export const CONTROLS: CalmTerms = { burst: 1000, rate: 33 }

/** Bytes of whole answers that wait for the peer to take them. Beyond them an answer is reset (`ENHANCE_YOUR_CALM`), but never the only one. */
export const ANSWERS_BYTES = 32 * 1024 * 1024

/** How long the rest of a body that nobody wanted is read and forgotten, after the answer. Then it is reset (`NO_ERROR`). */
export const LINGER_MS = 1_000

/** Bytes of a stream that may wait before its reader counts as full. More in flight than a mark of Node's streams, 16 KiB, makes a flush of a busy hub. */
export const STREAM_BUFFER = 64 * 1024

/** Bodies that need a place (`SMALL_BODY`), of one connection at once: others wait, held by their stream's flow control. */
export const LARGE_BODIES = 16

/** What `HttpLimits` says of a connection, and of heads: bytes as HPACK counts them, 32 for each field besides. */
export interface SessionLimits {
  /** One more is refused (`REFUSED_STREAM`), which a client may ask for again elsewhere. */
  readonly streams: number
  /** More is reset (`ENHANCE_YOUR_CALM`). */
  readonly headLimit: number
  readonly headersLimit: number
}

/** The fields that begin with a colon, of which HTTP/1.1 makes no lines. */
const PSEUDO_FIELDS = 4

export function sessionOptions({ streams, headLimit, headersLimit }: SessionLimits): ServerOptions {
  return {
    settings: { maxConcurrentStreams: streams, maxHeaderListSize: headLimit },
    // Megabytes of a connection: answers and streams that wait, as above. Beyond them it takes no further streams.
    maxSessionMemory: 64,
    maxHeaderListPairs: headersLimit + PSEUDO_FIELDS,
    maxOutstandingPings: 10,
    maxSettings: 32,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    // A little later than we, who remember the address.
    streamResetBurst: RESETS.burst + 50,
    streamResetRate: RESETS.rate,
  }
}
