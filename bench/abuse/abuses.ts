/** All attacks, in the order of the page. */
import type { Bench } from '../delivery/bench.ts'
import { deaf } from './deaf.ts'
import { flooding } from './flooding.ts'
import { reconnecting } from './reconnecting.ts'
import { resets } from './resets.ts'
import { silent } from './silent.ts'

export const abuses: readonly Bench[] = [silent, deaf, reconnecting, flooding, resets]
