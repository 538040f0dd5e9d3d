/** A request as the client sent it to the proxies that are trusted. */
import type { Proxies } from './forwarded.ts'
import type { HttpRequest } from './message.ts'
import { isRequestId } from './request-id.ts'
import { WrappedRequest } from './wrapped-request.ts'

class ProxiedRequest extends WrappedRequest {
  readonly #address: string | undefined

  constructor(inner: HttpRequest, proxies: Proxies) {
    super(inner)
    this.#address = proxies.clientOf(inner.address, inner.header(proxies.header))
  }

  override get address(): string | undefined {
    return this.#address
  }

  override get id(): string | undefined {
    const given = this.header('x-request-id')
    return given !== undefined && isRequestId(given) ? given : undefined
  }
}

/** The request as it is, when it comes from anywhere else. */
export function fromProxies(request: HttpRequest, proxies: Proxies): HttpRequest {
  return proxies.trusts(request.address) ? new ProxiedRequest(request, proxies) : request
}
