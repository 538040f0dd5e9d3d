/** All benchmarks of delivery, in the order of the page. */
import type { Bench } from './bench.ts'
import { catchup } from './catchup.ts'
import { channels } from './channels.ts'
import { compression } from './compression.ts'
import { fanout } from './fanout.ts'
import { memory } from './memory.ts'
import { polling } from './polling.ts'
import { publish } from './publish.ts'
import { selfcheck } from './selfcheck.ts'
import { sets } from './sets.ts'
import { slow } from './slow.ts'
import { storm } from './storm.ts'
import { carriers } from './tls.ts'

export const benches: readonly Bench[] = [
  selfcheck,
  fanout,
  channels,
  sets,
  publish,
  memory,
  slow,
  storm,
  catchup,
  compression,
  polling,
  carriers,
]
