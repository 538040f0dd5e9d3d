export { checkChannel, checkPattern, coversPart, isPattern, matchesPattern, partsMeet } from './channel.ts'
export { CONTROL, isControlType } from './control.ts'
export { type Cursor, formatCursor, parseCursor } from './cursor.ts'
export { encodeComment, encodeEvent, encodeRetry, type EventFields } from './encoder.ts'
export { WireError, type WireErrorCode } from './error.ts'
export { createParser } from './fast-parser.ts'
export {
  encodeGap,
  encodePage,
  type Gap,
  type GapReason,
  type Page,
  type PageEvent,
  parseGap,
  parsePage,
} from './page.ts'
export { DEFAULT_MAX_EVENT_SIZE, type Parser, type ParserOptions, type StreamEvent } from './parser.ts'
export { createSmallParser } from './small-parser.ts'
