/** `@downlink/hub/node`: the hub on `node:http`, Express and Fastify, and its own server. */
export type { Action, Authorize, AuthorizeRequest, Grant, Verdict } from './auth/authorize.ts'
export { Refusal, type RefusalCode } from './auth/refusal.ts'
export type { TlsOptions } from './http/certificate.ts'
export type { HandlerOptions } from './http/handler.ts'
export { nodeHandler, type NodeHandler, type NodeHandlerOptions } from './http/node.ts'
export { type HubServer, type HubServerOptions, serveHub } from './http/server.ts'
