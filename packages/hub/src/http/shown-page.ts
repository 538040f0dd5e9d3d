/** The page at `/`: in the coding that the client accepts, and `304` when it has it. */
import { createHash } from 'node:crypto'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { codingFor } from './encoding.ts'
import { matchesEtag } from './etag.ts'
import type { Headers, HttpRequest, WholeAnswer } from './message.ts'

const CODINGS = ['br', 'gzip'] as const
type Coding = (typeof CODINGS)[number]

export class ShownPage {
  readonly #headers: Headers
  readonly #body: Uint8Array
  readonly #etag: string
  /** Each made when it is first asked for: some ten milliseconds. */
  readonly #coded = new Map<Coding, Uint8Array>()

  constructor({ headers, body }: { readonly headers: Headers; readonly body: string }) {
    this.#headers = headers
    this.#body = new TextEncoder().encode(body)
    this.#etag = `W/"${createHash('sha256').update(this.#body).digest('base64url').slice(0, 22)}"`
  }

  answer(request: HttpRequest): WholeAnswer {
    const headers = { ...this.#headers, etag: this.#etag }
    if (matchesEtag(request.header('if-none-match'), this.#etag)) return { status: 304, headers }
    const coding = codingFor(request.header('accept-encoding'), CODINGS)
    if (coding === undefined) return { status: 200, headers, body: this.#body }
    return { status: 200, headers: { ...headers, 'content-encoding': coding }, body: this.#codedBy(coding) }
  }

  #codedBy(coding: Coding): Uint8Array {
    let coded = this.#coded.get(coding)
    if (coded === undefined) {
      coded =
        coding === 'gzip'
          ? gzipSync(this.#body, { level: 9 })
          : brotliCompressSync(this.#body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
      this.#coded.set(coding, coded)
    }
    return coded
  }
}
