/** `@downlink/hub/node`: the hub on `node:http`, Express and Fastify, and its own server. */
export type { Action, Authorize, AuthorizeRequest, Verdict } from './auth/authorize.ts'
export type { ForwardedHeader, ProxySettings } from './http/forwarded.ts'
export type { HandlerOptions } from './http/handler.ts'
export { nodeHandler, type NodeHandler, type NodeHandlerOptions } from './http/node.ts'
export { type HubServer, type HubServerOptions, serveHub } from './http/server.ts'
export type { Observer, RequestRecord } from './http/observe.ts'
export type { ProblemCode } from './http/problem.ts'
