/** `@downlink/hub/fetch`: the hub as a web-standard `fetch(request)`, for Hono, Next, Bun and Deno. */
export type { Action, Authorize, AuthorizeRequest, Grant, Verdict } from './auth/authorize.ts'
export { Refusal, type RefusalCode } from './auth/refusal.ts'
export { type FetchHandler, fetchHandler, type FetchHandlerOptions, type FetchInfo } from './http/fetch.ts'
export type { ForwardedHeader, ProxySettings } from './http/forwarded.ts'
export type { HandlerOptions } from './http/handler.ts'
export type { Observer, RequestRecord } from './http/observe.ts'
export type { ProblemCode } from './http/problem.ts'
