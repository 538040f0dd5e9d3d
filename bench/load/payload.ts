/**
 * The data of an event: `~<channel>.<number>.<published>.<filler>`. The number counts the events of its channel from 0, the
 * time is that of `micros()`, and the filler follows from channel and number. So whoever reads it knows whether it is the
 * right one, whether it is whole, and how long it took.
 */

export type Filling = 'text' | 'ticks'

export const FIRST_BYTE = 0x7e // ~

const DOT = 0x2e
const TEXT = Buffer.from(pseudoRandomText(64 * 1024))
const SYMBOLS = ['ACME', 'GLOBEX', 'INITECH', 'UMBRELLA', 'HOOLI', 'STARK', 'WAYNE', 'TYRELL']

export function payload(
  channel: number,
  number: number,
  published: number,
  size: number,
  filling: Filling = 'text',
): string {
  const head = `~${channel}.${number}.${Math.floor(published)}.`
  return head + fillerOf(channel, number, Math.max(0, size - head.length), filling)
}

export interface Payload {
  readonly channel: number
  readonly number: number
  readonly published: number
}

/** @throws {Error} when these are not the bytes that were published */
export function parsePayload(bytes: Buffer, start: number, end: number, filling: Filling): Payload {
  let at = start
  if (bytes[at++] !== FIRST_BYTE) throw wrong(bytes, start, end)
  const numbers = [0, 0, 0]
  for (let part = 0; part < 3; part++) {
    let value = 0
    for (; bytes[at] !== DOT; at++) {
      const digit = (bytes[at] as number) - 0x30
      if (at >= end || digit < 0 || digit > 9) throw wrong(bytes, start, end)
      value = value * 10 + digit
    }
    numbers[part] = value
    at++
  }
  const [channel, number, published] = numbers as [number, number, number]
  if (!isFiller(bytes, at, end, channel, number, filling)) throw wrong(bytes, start, end)
  return { channel, number, published }
}

function wrong(bytes: Buffer, start: number, end: number): Error {
  return new Error(
    `no such data was published: ${bytes.toString('latin1', start, Math.min(end, start + 80))}`,
  )
}

function fillerOf(channel: number, number: number, size: number, filling: Filling): string {
  if (filling === 'ticks') return tick(channel, number).slice(0, size).padEnd(size, ' ')
  const from = offsetOf(channel, number)
  return TEXT.toString('latin1', from, from + size)
}

function isFiller(
  bytes: Buffer,
  at: number,
  end: number,
  channel: number,
  number: number,
  filling: Filling,
): boolean {
  if (filling === 'ticks')
    return bytes.toString('latin1', at, end) === fillerOf(channel, number, end - at, filling)
  const from = offsetOf(channel, number)
  return TEXT.compare(bytes, at, end, from, from + end - at) === 0
}

function offsetOf(channel: number, number: number): number {
  return (channel * 7919 + number * 31) % (TEXT.length / 2)
}

/** A price, as a page would show it: keys repeat, values don't. */
function tick(channel: number, number: number): string {
  const chance = mix(channel * 65_537 + number)
  return JSON.stringify({
    symbol: SYMBOLS[chance % SYMBOLS.length],
    bid: (chance % 1_000_003) / 100,
    ask: ((chance % 1_000_003) + (mix(chance) % 50)) / 100,
    volume: mix(chance + 1) % 100_000,
    trades: mix(chance + 2) % 1_000,
    venue: `X${(mix(chance + 3) % 36 ** 3).toString(36)}`,
    open: mix(chance + 4) % 2 === 0,
    high: (mix(chance + 5) % 1_000_003) / 100,
    low: (mix(chance + 6) % 1_000_003) / 100,
    order: mix(chance + 7).toString(36),
    trader: mix(chance + 8) % 10_000,
    turnover: mix(chance + 9),
  })
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x45d9f3b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

function pseudoRandomText(length: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -'
  return Array.from({ length }, (_, index) => letters[mix(index + 1) % letters.length]).join('')
}
