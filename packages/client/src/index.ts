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
