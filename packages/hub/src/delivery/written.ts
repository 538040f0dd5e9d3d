/** Frames as the bytes of one write, in the form that the readers asked for. Pure. */
import type { Position } from '../log/log.ts'
import type { Frame } from './frame.ts'
import { type Entry, pagesOf } from './page-message.ts'
import type { Variant } from './variant.ts'

/**
 * @param frames In the order of positions, at least one, of one epoch.
 * @param upTo Nothing of these channels lies between the last frame and this.
 * @param more Whether more is under way.
 */
export function writeFrames(
  frames: readonly Frame[],
  variant: Variant,
  upTo: Position,
  more = false,
): Uint8Array {
  const { message } = variant
  if (message) {
    const { epoch } = frames[0] as Frame
    return joinMessages(pagesOf(entriesOf(frames, variant), epoch, upTo, more), message)
  }
  if (frames.length === 1) return Buffer.from((frames[0] as Frame).text(variant))
  // Text is put together, and then made into bytes at once: many small pieces of bytes cost more than they hold.
  let text = ''
  for (const frame of frames) text += frame.text(variant)
  return Buffer.from(text)
}

export function joinMessages(pages: readonly string[], message: NonNullable<Variant['message']>): Uint8Array {
  const [first = '', ...others] = pages
  if (others.length === 0) return message(first)
  return Buffer.concat(pages.map(message))
}

function* entriesOf(frames: readonly Frame[], variant: Variant): Generator<Entry> {
  for (const frame of frames) yield { record: frame.record, text: frame.text(variant) }
}
