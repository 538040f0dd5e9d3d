/** What a client is told when the hub closes its WebSocket (RFC 6455 7.4). */
import type { Ending } from '../../delivery/sink.ts'

export interface Closing {
  readonly code: number
  /** In at most 123 bytes. */
  readonly reason: string
}

/** 1000 says: don't come back. After all others a client may, at its cursor. `docs/protocol.md` 21.6.1 is this table in words. */
export const CLOSINGS: Readonly<Record<Ending, Closing>> = {
  ended: { code: 1000, reason: 'ended' },
  draining: { code: 1012, reason: 'draining' },
  failed: { code: 1011, reason: 'failed' },
  age: { code: 4000, reason: 'age' },
  disconnected: { code: 4001, reason: 'disconnected' },
  expired: { code: 4401, reason: 'expired' },
  replaced: { code: 4409, reason: 'replaced' },
}

/** The client has sent something. */
export const NOTHING_EXPECTED: Closing = { code: 1008, reason: 'Nothing is expected: publish by POST' }

export const TOO_MANY_PINGS: Closing = { code: 1008, reason: 'Too many pings' }

/** Between the answer and the first message the hub has filled up, or begun to stop. */
export const TRY_AGAIN: Closing = { code: 1013, reason: 'try again later' }
