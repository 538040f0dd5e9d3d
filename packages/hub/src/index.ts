/** The hub to embed: one log, and its events in the process that has them. The faces are `@downlink/hub/node` and `@downlink/hub/fetch`. */
export type { Page, PageEvent } from '@downlink/wire'
export { WireError } from '@downlink/wire'
export type { Clock } from './clock.ts'
export type { DeliverySettings } from './delivery/delivery.ts'
export { HubError, type HubErrorCode } from './errors.ts'
export { createHub, type Hub } from './hub.ts'
export type {
  Disconnect,
  HubLimits,
  HubOptions,
  Published,
  PublishOptions,
  ReadOptions,
  TailOptions,
} from './hub-options.ts'
export * from './log/log.ts'
export { ChannelSet } from './log/channel-set.ts'
export { MemoryLog } from './log/memory.ts'
export type { RetentionRule } from './log/retention.ts'
export type { Publication, Publishable } from './publish.ts'
