/** Who may take a route: asks `authorize`, and says no in the words of HTTP. */
import type { Action, Authorize, AuthorizeRequest, Grant, Verdict } from '../auth/authorize.ts'
import { crossSite } from '../auth/cross-site.ts'
import { Refusal } from '../auth/refusal.ts'
import { type Holder, NOBODY } from '../delivery/holder.ts'
import type { Hub } from '../hub.ts'
import { keysOf } from './keys-in-url.ts'
import type { HttpRequest } from './message.ts'
import type { Witness } from './observe.ts'
import { Problem } from './problem.ts'

export class Access {
  readonly #hub: Hub
  readonly #authorize: Authorize | undefined
  readonly #origins: readonly string[]
  readonly #witness: Witness

  constructor(hub: Hub, authorize: Authorize | undefined, origins: readonly string[], witness: Witness) {
    this.#hub = hub
    this.#authorize = authorize
    this.#origins = origins
    this.#witness = witness
  }

  /** Without rules whom the guard lets through may do everything, and nobody is asked. */
  get ruled(): boolean {
    return this.#authorize !== undefined
  }

  /** @throws {Problem} `unauthorized`, `forbidden` @throws {Refusal} @throws {HubError} `expired`, `revoked` */
  async permit(request: HttpRequest, action: Action, channels: readonly string[]): Promise<Grant> {
    const verdict = await this.#ask(request, action, channels)
    if (isYes(verdict)) {
      const grant = typeof verdict === 'object' ? verdict : NOBODY
      this.#witness.noteSubject(request, grant.subject)
      if (grant !== NOBODY) this.#hub.checkRight(grant)
      return grant
    }
    if (verdict instanceof Refusal) throw verdict
    if (request.header('authorization') !== undefined) {
      // RFC 6750 section 3.1
      const challenge = { 'www-authenticate': 'Bearer error="insufficient_scope"' }
      throw new Problem('forbidden', `You may not ${action} this: ask for the right to`, {}, challenge)
    }
    throw new Problem(
      'unauthorized',
      `To ${action} this, say who you are in \`Authorization\``,
      {},
      { 'www-authenticate': 'Bearer' },
    )
  }

  async mayRead(request: HttpRequest, channel: string): Promise<boolean> {
    return isYes(await this.#ask(request, 'read', [channel]))
  }

  #ask(request: HttpRequest, action: Action, channels: readonly string[]): Verdict | Promise<Verdict> {
    return this.#authorize === undefined || this.#authorize(this.#viewOf(request), action, channels)
  }

  /** What is handed out may be taken apart: `({ header }) => …`. */
  #viewOf(request: HttpRequest): AuthorizeRequest {
    const { method, path, address, raw } = request
    const { accessToken } = keysOf(request)
    return {
      method,
      path,
      address,
      accessToken,
      raw,
      header: (name) => request.header(name),
      crossSite: () => crossSite(request, this.#origins),
    }
  }
}

function isYes(verdict: Verdict): verdict is true | Grant {
  return (
    verdict === true || (typeof verdict === 'object' && verdict !== null && !(verdict instanceof Refusal))
  )
}

export function holderOf({ address }: HttpRequest, { subject, issued, until, limits }: Grant): Holder {
  return {
    subject,
    ...(issued !== undefined && { issued }),
    ...(address !== undefined && { address }),
    ...(until !== undefined && { until }),
    ...(limits && { limits }),
  }
}
