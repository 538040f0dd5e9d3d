export type WireErrorCode =
  /** One event block is larger than the parser's `maxEventSize`. */
  | 'event-too-large'
  /** `feed` was called on a parser that a callback's exception stopped, or from inside a callback. */
  | 'parser-stopped'
  /** What came as a chunk of a stream is not bytes. */
  | 'invalid-chunk'
  /** A field of an event can't be written without changing the meaning of the stream. */
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
