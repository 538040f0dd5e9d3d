export { EventSource } from './event-source.ts'
export type {
  ErrorReason,
  EventSourceErrorEvent,
  EventSourceEventMap,
  EventSourceInit,
  EventSourceStreamInit,
} from './event-source.ts'
export { readEventStream } from './event-stream.ts'
export type { EventStreamOptions } from './event-stream.ts'
export { WireError } from '@downlink/wire'
export type { StreamEvent } from '@downlink/wire'
export { subscribe } from './subscribe/subscribe.ts'
export { SubscribeError } from './subscribe/error.ts'
export type { SubscribeErrorCode } from './subscribe/error.ts'
export type { CursorStore } from './subscribe/cursor-store.ts'
export type { Limits } from './subscribe/limits.ts'
export type { Parse, StandardSchema } from './subscribe/schema.ts'
export type {
  ConnectionState,
  DefaultEvents,
  EndUpdate,
  EventMap,
  GapUpdate,
  Phase,
  Reason,
  Share,
  SubscribeOptions,
  Subscription,
  SubscriptionEvents,
  Transport,
  Update,
  UpdateOf,
} from './subscribe/types.ts'
