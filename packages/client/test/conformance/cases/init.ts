/** The second argument of the constructor: 9.2.2, and how WebIDL converts a dictionary. */
import { same, throws, throwsTypeError } from '../assert.ts'
import type { Case, EventSourceClass, Kit } from '../case.ts'
import { HANG } from '../script.ts'

const answers = [[HANG]]

/** For calls that the types forbid. */
const loose = (EventSource: EventSourceClass): new (...args: unknown[]) => EventSource =>
  EventSource as unknown as new (...args: unknown[]) => EventSource

const accepted: readonly (readonly [string, unknown, boolean])[] = [
  ['undefined', undefined, false],
  ['null', null, false],
  ['{}', {}, false],
  ['an array', [], false],
  ['a function', () => {}, false],
  ['withCredentials: undefined', { withCredentials: undefined }, false],
  ['withCredentials: null', { withCredentials: null }, false],
  ['withCredentials: 0', { withCredentials: 0 }, false],
  ['withCredentials: ""', { withCredentials: '' }, false],
  ['withCredentials: NaN', { withCredentials: NaN }, false],
  ['withCredentials: false', { withCredentials: false }, false],
  ['withCredentials: true', { withCredentials: true }, true],
  ['withCredentials: 1', { withCredentials: 1 }, true],
  ['withCredentials: "false"', { withCredentials: 'false' }, true],
  ['withCredentials: {}', { withCredentials: {} }, true],
  ['withCredentials inherited', Object.create({ withCredentials: true }), true],
  ['an unknown member', { unknown: true }, false],
]
const refused: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['a number', 5],
  ['a string', 'withCredentials'],
  ['a symbol', Symbol('init')],
  ['a bigint', 5n],
]
const make = ({ EventSource, url }: Kit, init: unknown): EventSource => new (loose(EventSource))(url(), init)

export const initCases: readonly Case[] = [
  ...accepted.map(([what, init, credentials]): Case => ({
    name: `the second argument is converted: ${what}`,
    statements: [1, 5],
    answers,
    run: (kit) => {
      const source = make(kit, init)
      source.close()
      same(source.withCredentials, credentials)
    },
  })),
  ...refused.map(([what, init]): Case => ({
    name: `the second argument is refused: ${what}`,
    statements: [1],
    run: (kit) => throwsTypeError(() => make(kit, init), what),
  })),
  {
    name: 'withCredentials is read once, after the URL was made a string',
    statements: [1, 2, 5],
    answers,
    run: (kit) => {
      const order: string[] = []
      const url = {
        toString: () => {
          order.push('url')
          return kit.url()
        },
      }
      const init = {
        get withCredentials() {
          order.push('withCredentials')
          return true
        },
      }
      const source = new (loose(kit.EventSource))(url, init)
      source.close()
      same(order, ['url', 'withCredentials'])
    },
  },
  {
    name: 'an error of a getter of the second argument goes to the caller',
    statements: [1, 5],
    run: (kit) => {
      const error = new RangeError('mine')
      const init = {
        get withCredentials(): boolean {
          throw error
        },
      }
      throws(
        () => make(kit, init),
        (thrown) => thrown === error,
        'the getter',
      )
    },
  },
]
