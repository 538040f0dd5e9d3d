/** For cases of what our class has beyond the standard. */
import type { EventSource as Ours, EventSourceErrorEvent, EventSourceInit as OurInit } from '@downlink/client'
import { same } from '../assert.ts'
import type { Case, Kit, Reasons } from '../case.ts'
import type { Watch } from '../watch.ts'

export type OurSource = Ours
export type OurClass = typeof Ours

export const ourClass = (kit: Kit): typeof Ours => kit.EventSource as unknown as typeof Ours

export const NOT_NATIVE: Reasons = { native: 'it goes beyond the standard' }

/** A case that only our class is asked. */
export const beyond = (one: Case): Case => ({ ...one, skip: { ...NOT_NATIVE, ...one.skip } })

export const watchWith = (kit: Kit, init: OurInit, url?: string, ...types: readonly string[]): Watch =>
  kit.watchOf(kit.open(url, init as EventSourceInit), ...types)

/** `reason status` of each error. */
export const reasonsOf = ({ told }: Watch): readonly string[] =>
  told
    .filter(({ type }) => type === 'error')
    .map(({ event }) => {
      const { reason, status } = event as EventSourceErrorEvent
      return `${reason ?? 'none'}${status === undefined ? '' : ` ${status}`}`
    })

/** That these are the names of what an error says beyond `Event`. */
export function sameDetails(event: Event, ...names: readonly string[]): void {
  same(
    Object.keys(event)
      .filter((name) => name !== 'isTrusted')
      .toSorted(),
    [...names].sort(),
    'what the error has',
  )
}
