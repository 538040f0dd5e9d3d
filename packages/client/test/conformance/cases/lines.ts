/** Lines, comments, byte order marks and UTF-8. */
import { same } from '../assert.ts'
import type { Case, Reasons } from '../case.ts'
import { HANG, bytesOf, gap, soon, stream, wait } from '../script.ts'
import { type Row, row, table } from './parsing.ts'

const BOM = '\uFEFF'
const BEHIND_BOM: Reasons = { native: 'Chromium overlooks a line end right behind a byte order mark' }

const behindMark = (one: Row): Row => ({ ...one, deviates: BEHIND_BOM })

const big = 'x'.repeat(1024 * 1024)

/** Told at once, though the next byte could belong to the line end. */
const atOnce = (what: string, end: string): Case => ({
  name: `a blank line is enough, whatever comes next: ${what}`,
  statements: [42],
  answers: [stream(`data: a${end}`, wait('go'), `data: b${end}`, HANG)],
  run: async (kit) => {
    const told = kit.watch()
    await told.nth('message')
    await kit.go('go')
    await told.nth('message', 2)
    same(told.data, ['a', 'b'])
  },
})

export const lineCases: readonly Case[] = [
  ...table(
    'lines end by CRLF, LF or CR',
    [41, 43],
    [
      row('LF', 'data: a\ndata: b\n\ndata: c\n\n', 'a\nb', 'c'),
      row('CR', 'data: a\rdata: b\r\rdata: c\r\r', 'a\nb', 'c'),
      row('CRLF', 'data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n', 'a\nb', 'c'),
      row('mixed', 'data: a\ndata: b\r\ndata: c\r\r\ndata: d\n\rdata: e\r\n\n', 'a\nb\nc', 'd', 'e'),
      row('LF CR is two', 'data: a\n\rdata: b\n\r', 'a', 'b'),
      row('CR CRLF is two', 'data: a\r\r\ndata: b\r\r\n', 'a', 'b'),
      row('blank ones alone', '\n\r\r\n\n\n'),
      row(
        'no other characters',
        'data: a\u000Bb\u000Cc\u0085d\u2028e\u2029f\n\n',
        'a\u000Bb\u000Cc\u0085d\u2028e\u2029f',
      ),
    ],
  ),
  {
    name: 'CR and LF in two chunks are one line end',
    statements: [41],
    answers: [
      stream(
        'data: a\r',
        gap(30),
        '\n',
        gap(30),
        'data: b\r',
        gap(30),
        '\n\r',
        gap(30),
        '\ndata: c\n\n',
        HANG,
      ),
    ],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.data, ['a\nb', 'c'])
    },
  },
  atOnce('LF LF', '\n\n'),
  atOnce('CR CR', '\r\r'),
  atOnce('CR LF CR LF', '\r\n\r\n'),
  atOnce('CR LF CR', '\r\n\r'),
  ...table(
    'comments are ignored',
    [43],
    [
      row('everywhere', ': a\ndata: b\n:c\ndata: d\n:\n\n: e\n', 'b\nd'),
      row('with a field in it', ':data: a\n\ndata: b\n\n', 'b'),
      row('alone', ':\n\n: a\n\n::\n\n'),
      row('very long', `:${'x'.repeat(500)}\rdata: a\r\r`, 'a'),
      row('with a NUL', ':\0\ndata: a\n\n', 'a'),
    ],
  ),
  ...table(
    'one byte order mark is stripped',
    [39],
    [
      row('one', `${BOM}data: a\n\ndata: b\n\n`, 'a', 'b'),
      row('two', `${BOM}${BOM}data: a\n\ndata: b\n\n`, 'b'),
      row('before a comment', `${BOM}: a\ndata: b\n\n`, 'b'),
      behindMark(row('before a blank line', `${BOM}\ndata: b\n\n`, 'b')),
      row('before CRLF', `${BOM}\r\ndata: b\n\n`, 'b'),
      behindMark(row('before CR', `${BOM}\rdata: b\r\r`, 'b')),
      row('later on it is text', `data: a\n\n${BOM}data: b\n\ndata: c\n\n`, 'a', 'c'),
      row('on a later line it is text', `\n${BOM}data: b\n\ndata: c\n\n`, 'c'),
      row('in a value it is text', `data: ${BOM}a${BOM}\n\n`, `${BOM}a${BOM}`),
      row('half of one is text', [[0xef, 0xbb], 'data: a\n\ndata: b\n\n'], 'b'),
      row('of UTF-16 is text', [[0xfe, 0xff], 'data: a\n\ndata: b\n\n'], 'b'),
      row('alone', BOM),
    ],
  ),
  {
    name: 'a byte order mark is stripped on each connection',
    statements: [39],
    answers: [soon().slice(0, 1).concat(`${BOM}retry: 10\ndata: a\n\n`), stream(`${BOM}data: b\n\n`, HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.data, ['a', 'b'])
    },
  },
  {
    name: 'half a character at the end of a connection does not reach the next one',
    statements: [40, 54],
    answers: [soon('data: a\n\n', bytesOf([0xe2, 0x80])), stream(bytesOf('data: b\n\n'), HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.data, ['a', 'b'])
    },
  },
  ...table(
    'streams are UTF-8, and what is not becomes U+FFFD',
    [40],
    [
      row('two, three and four bytes', 'data: é…😀\n\n', 'é…😀'),
      row(
        'bytes that never occur',
        ['data: ', [0xff, 0xfe, 0x80, 0xc0, 0xaf], '\n\n'],
        '\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD',
      ),
      row('cut short', ['data: ', [0xf0, 0x9f, 0x98], 'x', [0xe2, 0x80], '\n\n'], '\uFFFDx\uFFFD'),
      row(
        'cut short by a line end',
        ['data: a', [0xe2], '\r\ndata: b', [0xf0, 0x9f], '\r\r'],
        'a\uFFFD\nb\uFFFD',
      ),
      row('surrogates', ['data: ', [0xed, 0xa0, 0x80], '\n\n'], '\uFFFD\uFFFD\uFFFD'),
      row('overlong', ['data: ', [0xc0, 0x8a, 0xe0, 0x80, 0x8a], '\n\n'], '\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD'),
      row('beyond Unicode', ['data: ', [0xf4, 0x90, 0x80, 0x80], '\n\n'], '\uFFFD\uFFFD\uFFFD\uFFFD'),
      row('Latin-1', ['data: caf', [0xe9], '\n\n'], 'caf\uFFFD'),
      row('U+FFFD itself', 'data: \uFFFD\n\n', '\uFFFD'),
      row(
        'in a type and an id',
        ['event: ', [0xff], '\nid: ', [0xff], '\ndata: a\n\n'],
        ['\uFFFD', 'a', '\uFFFD'],
      ),
    ],
  ),
  {
    name: 'a line of a mebibyte is read',
    statements: [56],
    answers: [stream(`data: ${big}\n\ndata: end\n\n`, HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same([told.data[0]?.length, told.data[0] === big, told.data[1]], [big.length, true, 'end'])
    },
  },
  {
    name: 'an event of many lines is read',
    statements: [46, 56],
    answers: [stream(`${'data: line\n'.repeat(20_000)}\ndata: end\n\n`, HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same([told.data[0] === 'line\n'.repeat(20_000).slice(0, -1), told.data[1]], [true, 'end'])
    },
  },
  {
    name: 'five thousand events are read in order',
    statements: [56],
    answers: [
      stream(...Array.from({ length: 10 }, (_, i) => 'data: x\n\n'.repeat(499) + `data: ${i}\n\n`), HANG),
    ],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 5000)
      same(told.data.filter((data) => data !== 'x').join(''), '0123456789')
    },
  },
  {
    name: 'five thousand events are read to the last, though the connection ends behind them',
    statements: [27, 56],
    answers: [soon('data: x\n\n'.repeat(5000)), stream(HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      same(told.data.length, 5000)
    },
  },
]
