/** Bytes to messages: 9.2.5 and 9.2.6. Each row is read whole, and byte by byte. */
import { same } from '../assert.ts'
import type { Case, Reasons } from '../case.ts'
import { STREAM_HEAD, byteByByte, bytesOf } from '../script.ts'

type Told = readonly [type: string, data: string, lastEventId: string]
type Piece = string | readonly number[]

export interface Row {
  readonly what: string
  readonly pieces: readonly Piece[]
  /** Data alone, or all of a message. */
  readonly expected: readonly (string | Told)[]
  readonly types?: readonly string[]
  readonly deviates?: Reasons | undefined
}

export const row = (what: string, pieces: Piece | readonly Piece[], ...expected: Row['expected']): Row => ({
  what,
  pieces: typeof pieces === 'string' ? [pieces] : (pieces as readonly Piece[]),
  expected,
})

export function parsingCase(
  fact: string,
  statements: readonly number[],
  { what, pieces, expected, deviates }: Row,
): Case {
  const bytes = bytesOf(...pieces)
  const whole = expected.map((one): Told => (typeof one === 'string' ? ['message', one, ''] : one))
  return {
    name: `${fact}: ${what}`,
    statements,
    deviates,
    answers: ({ path }) => (path === 'whole' ? [STREAM_HEAD, bytes] : [STREAM_HEAD, ...byteByByte(bytes)]),
    run: async (kit) => {
      const types = whole.map(([type]) => type)
      for (const path of ['whole', 'bytes']) {
        const told = kit.watch(kit.url(path), ...types)
        // All messages come before the end of the stream is told.
        await told.nth('error')
        told.source.close()
        same(told.whole, whole, path)
      }
    },
  }
}

export const table = (fact: string, statements: readonly number[], rows: readonly Row[]): readonly Case[] =>
  rows.map((one) => parsingCase(fact, statements, one))
