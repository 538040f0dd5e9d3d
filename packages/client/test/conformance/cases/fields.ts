/** The fields data and event, and those that there are not. Ids and retry have cases of their own. */
import { same } from '../assert.ts'
import type { Case } from '../case.ts'
import { HANG, soon, stream, wait } from '../script.ts'
import { row, table } from './parsing.ts'

export const fieldCases: readonly Case[] = [
  ...table(
    'a value is what follows the colon, without one space',
    [44],
    [
      row('no space', 'data:a\n\n', 'a'),
      row('one space', 'data: a\n\n', 'a'),
      row('two spaces', 'data:  a\n\n', ' a'),
      row('a space behind', 'data: a \n\n', 'a '),
      row('a tab', 'data:\ta\n\n', '\ta'),
      row('a no-break space', 'data:\u00a0a\n\n', '\u00a0a'),
      row('more colons', 'data: a:b: c\ndata::\n\n', 'a:b: c\n:'),
      row('no colon', 'data\n\n', ''),
      row('nothing', 'data:\n\n', ''),
      row('only a space', 'data: \n\n', ''),
      row('only two spaces', 'data:  \n\n', ' '),
    ],
  ),
  ...table(
    'names are compared letter by letter',
    [45],
    [
      row('other cases', 'Data: a\nDATA: b\ndata: c\n\n', 'c'),
      row('a space before', ' data: a\ndata: c\n\n', 'c'),
      row('a tab before', '\tdata: a\ndata: c\n\n', 'c'),
      row('a space behind', 'data : a\ndata: c\n\n', 'c'),
      row('a NUL behind', 'data\0: a\ndata: c\n\n', 'c'),
      row('alike', 'dat: a\ndatas: b\nda-ta: c\ndata2\ndata: d\n\n', 'd'),
      row('unknown', 'foo: a\nfoo\n\ndata: b\nfoo:bar\n\n', 'b'),
      row('names of objects', '__proto__: a\nconstructor: b\ntoString\ndata: c\n\n', 'c'),
      row('an empty name', ':\n: data\ndata: c\n\n', 'c'),
      row('event in capitals', 'Event: a\nEVENT: b\ndata: c\n\n', 'c'),
      row('id in capitals', 'ID: a\nId: b\ndata: c\n\n', 'c'),
    ],
  ),
  ...table(
    'lines of data are joined by LF, and a last LF is removed',
    [46],
    [
      row('two', 'data: a\ndata: b\n\n', 'a\nb'),
      row('empty ones', 'data:\ndata: \ndata\n\n', '\n\n'),
      row('two without colon', 'data\ndata\n\n', '\n'),
      row('empty first', 'data:\ndata: a\n\n', '\na'),
      row('empty last', 'data: a\ndata:\n\n', 'a\n'),
      row('with other fields between', 'data: a\nevent: message\nfoo\n: x\ndata: b\n\n', 'a\nb'),
      row('a CR ends it', 'data: a\rb\n\n', 'a'),
    ],
  ),
  ...table(
    'event sets the type',
    [47, 58],
    [
      row('a type', 'event: a\ndata: b\n\ndata: c\n\n', ['a', 'b', ''], 'c'),
      row('the last one', 'event: a\nevent: b\ndata: c\n\n', ['b', 'c', '']),
      row('behind the data', 'data: c\nevent: b\n\n', ['b', 'c', '']),
      row(
        'taken back by an empty one',
        'event: a\nevent:\ndata: b\n\nevent: a\nevent\ndata: c\n\n',
        'b',
        'c',
      ),
      row('only a space', 'event: \ndata: b\n\n', 'b'),
      row('message', 'event: message\ndata: b\n\n', 'b'),
      row('spaces are part of it', 'event:  a \ndata: b\n\n', [' a ', 'b', '']),
      row('case counts', 'event: Message\ndata: b\n\ndata: c\n\n', ['Message', 'b', ''], 'c'),
      row('gone at a blank line without data', 'event: a\n\ndata: b\n\n', 'b'),
      row('gone at a blank line with an id', 'event: a\nid: 1\n\ndata: b\n\n', ['message', 'b', '1']),
      row('any text', 'event: é 😀:\ndata: b\n\n', ['é 😀:', 'b', '']),
      row('a NUL', 'event: a\0\ndata: b\n\n', ['a\0', 'b', '']),
      row(
        'names of objects',
        'event: __proto__\ndata: b\n\nevent: constructor\ndata: c\n\n',
        ['__proto__', 'b', ''],
        ['constructor', 'c', ''],
      ),
    ],
  ),
  ...table(
    'without data there is no event',
    [49],
    [
      row('nothing', '\n\n\n'),
      row('a type', 'event: a\n\n'),
      row('an id', 'id: 1\n\ndata: a\n\n', ['message', 'a', '1']),
      row('retry', 'retry: 10\n\n'),
      row('a comment', ': data\n\n'),
    ],
  ),
  ...table(
    'NUL in data is kept',
    [55],
    [
      row('within', 'data: a\0b\n\n', 'a\0b'),
      row('alone', 'data:\0\n\n', '\0'),
      row('before the name it makes another one', '\0data: a\ndata: b\n\n', 'b'),
    ],
  ),
  ...table(
    'what is not finished by a blank line is never told',
    [54],
    [
      row('a line', 'data: a\n\ndata: b\n', 'a'),
      row('half a line', 'data: a\n\ndata: b', 'a'),
      row('with a type and an id', 'data: a\n\nevent: message\nid: 1\ndata: b\n', 'a'),
      row('CR', 'data: a\r\rdata: b\r', 'a'),
      row('CRLF', 'data: a\r\n\r\ndata: b\r\n', 'a'),
    ],
  ),
  {
    name: 'data, type and id of an unfinished event do not reach the next connection',
    statements: [51, 54],
    answers: [soon('id: 1\ndata: a\n\nid: 2\nevent: other\ndata: b\n'), stream('data: c\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch(kit.url(), 'other')
      await told.nth('message', 2)
      same(told.whole, [
        ['message', 'a', '1'],
        ['message', 'c', '1'],
      ])
    },
  },
  {
    name: 'half a line does not reach the next connection',
    statements: [54],
    answers: [soon('data: a\n\ndata: b\nda'), stream('ta: c\n\ndata: d\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.data, ['a', 'd'])
    },
  },
  {
    name: 'a CR at the end of a connection does not swallow a LF at the beginning of the next one',
    statements: [41, 54],
    answers: [soon('data: a\r\r'), stream('\ndata: b\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.data, ['a', 'b'])
    },
  },
  {
    name: 'an event is told at its blank line, not before',
    statements: [43],
    answers: [stream('data: a\n', wait('go'), '\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('open')
      await kit.quiet(60)
      same(told.notes, ['open 1'])
      await kit.go('go')
      await told.nth('message')
    },
  },
]
