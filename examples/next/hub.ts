import { createHub, type Hub } from '@downlink/hub'

// On globalThis, because Next may load this module more than once: under `next dev` after each edit.
const kept = globalThis as { hub?: Hub }
export const hub = (kept.hub ??= createHub())
