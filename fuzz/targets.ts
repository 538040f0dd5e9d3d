/** All targets, in the order in which they run. */
import type { Target } from './target.ts'
import { accept, encoding, prefer } from './targets/accept.ts'
import { credentials } from './targets/credentials.ts'
import { cursor, position } from './targets/cursor.ts'
import { addresses, forwarded } from './targets/forwarded.ts'
import { keys } from './targets/keys.ts'
import { names, patterns } from './targets/names.ts'
import { ndjson } from './targets/ndjson.ts'
import { address, host, origin } from './targets/origin.ts'
import { page } from './targets/page.ts'
import { query } from './targets/query.ts'
import { request } from './targets/request.ts'
import { stream } from './targets/stream.ts'
import { tickets } from './targets/tickets.ts'
import { tokens } from './targets/tokens.ts'

export const targets: readonly Target[] = [
  stream,
  cursor,
  position,
  names,
  patterns,
  page,
  ndjson,
  accept,
  encoding,
  prefer,
  host,
  address,
  origin,
  query,
  keys,
  forwarded,
  addresses,
  credentials,
  tokens,
  tickets,
  request,
]
