/**
 * Frames to a client (RFC 6455 5.2): not masked, so what many are sent is made once. What comes from clients is for the library to
 * take apart; it has no way to make a frame that can be written to more than one. Pure.
 */

const TEXT = 0x81
const PING_FRAME = 0x89

/** A heartbeat: a ping without anything in it. */
export const PING: Uint8Array = Buffer.from([PING_FRAME, 0])

/** A whole message of text in one frame. */
export function textFrame(text: string): Uint8Array {
  const length = Buffer.byteLength(text)
  const offset = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(offset + length)
  frame[0] = TEXT
  if (offset === 2) frame[1] = length
  else if (offset === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
    frame.writeUInt32BE(length % 2 ** 32, 6)
  }
  frame.write(text, offset)
  return frame
}
