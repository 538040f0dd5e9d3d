import { createHub, type Hub } from '@downlink/hub'

// On globalThis: Next makes an instance of this module for each route, and all of them need the same hub.
const kept = globalThis as { hub?: Hub }
export const hub = (kept.hub ??= createHub())
