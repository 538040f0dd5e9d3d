/** `@downlink/hub/testing`: a proxy that does what proxies and networks do wrong, for tests of whatever reads a hub. Node only. */
export type { Answer, Fault, Hold, ProxiedRequest, When } from './testing/fault.ts'
export { hostileProxy, type HostileProxy, type HostileProxyOptions } from './testing/proxy.ts'
