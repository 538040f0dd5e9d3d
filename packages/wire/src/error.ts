export type WireErrorCode =
  | 'event-too-large'
  | 'invalid-field'
  | 'invalid-cursor'
  | 'invalid-page'
  | 'invalid-channel'
  | 'invalid-pattern'

/** The one error class of this package; each code names what was wrong, the message also how to mend it. */
export class WireError extends Error {
  readonly code: WireErrorCode
  override readonly name = 'WireError'

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
