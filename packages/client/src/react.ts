'use client'
export { useConnection, useEvents, useLatest } from './react/hooks.ts'
export type { UseEventsOptions } from './react/shape.ts'
export type { EventsSnapshot } from './store/snapshot.ts'
