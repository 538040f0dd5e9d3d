/** `@downlink/hub/auth`: who may do what, by rules and by JWT. Apart from the rest, since it brings `jose`. */
export type { Authorize, AuthorizeRequest, Action, Grant, Verdict } from './auth/authorize.ts'
export { type AuthorizerOptions, createAuthorizer, type JwtOptions } from './auth/authorizer.ts'
export type { CredentialOptions } from './auth/credentials.ts'
export { type Algorithm } from './auth/key-settings.ts'
export { Refusal, type RefusalCode } from './auth/refusal.ts'
export type { Rule, RuleAction } from './auth/rules.ts'
export type { SubjectLimits } from './delivery/holder.ts'
