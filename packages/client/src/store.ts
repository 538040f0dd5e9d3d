export { eventStore } from './store/event-store.ts'
export type { EventStore, EventStoreOptions } from './store/event-store.ts'
export type { EventsSnapshot } from './store/snapshot.ts'
