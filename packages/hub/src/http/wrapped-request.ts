/** A request that is as another but for what a subclass says. */
import type { HttpRequest } from './message.ts'

export class WrappedRequest implements HttpRequest {
  protected readonly inner: HttpRequest

  constructor(inner: HttpRequest) {
    this.inner = inner
  }

  get method(): string {
    return this.inner.method
  }

  get path(): string {
    return this.inner.path
  }

  get query(): string {
    return this.inner.query
  }

  header(name: string): string | undefined {
    return this.inner.header(name)
  }

  headerNames(): Iterable<string> {
    return this.inner.headerNames()
  }

  body(limit: number): Promise<Uint8Array> {
    return this.inner.body(limit)
  }

  get authority(): string | undefined {
    return this.inner.authority
  }

  get address(): string | undefined {
    return this.inner.address
  }

  get id(): string | undefined {
    return this.inner.id
  }

  get scheme(): string {
    return this.inner.scheme
  }

  get upgrade(): 'asked' | 'possible' | undefined {
    return this.inner.upgrade
  }

  get signal(): AbortSignal {
    return this.inner.signal
  }

  get raw(): unknown {
    return this.inner.raw
  }
}
