/** The interface as WebIDL makes it: 9.2.2. */
/* oxlint-disable typescript/unbound-method -- accessors are looked at, and called on other objects on purpose */
import { ok, same, throwsTypeError } from '../assert.ts'
import type { Case } from '../case.ts'
import { HANG } from '../script.ts'

const answers = [[HANG]]
const CONSTANTS = { CONNECTING: 0, OPEN: 1, CLOSED: 2 } as const
const ATTRIBUTES = ['url', 'readyState', 'withCredentials'] as const
const HANDLERS = ['onopen', 'onmessage', 'onerror'] as const
const NOT_SOURCES: readonly unknown[] = [{}, undefined, null, 1, Object.create(null)]

const descriptor = (target: object, name: PropertyKey): PropertyDescriptor => {
  const found = Object.getOwnPropertyDescriptor(target, name)
  ok(found, `${String(name)} is an own property`)
  return found
}

export const interfaceCases: readonly Case[] = [
  {
    name: 'the constructor throws a TypeError without new',
    statements: [1],
    run: ({ EventSource, url }) => {
      const call = EventSource as unknown as (url: string) => unknown
      throwsTypeError(() => call(url()), 'a call')
    },
  },
  {
    name: 'the constructor throws a TypeError without an argument',
    statements: [1],
    run: ({ EventSource }) =>
      throwsTypeError(() => new (EventSource as unknown as new () => EventSource)(), 'no argument'),
  },
  {
    name: 'the constructor has one parameter, and the name of the interface',
    statements: [1],
    run: ({ EventSource }) => {
      same(EventSource.length, 1, 'length')
      same(EventSource.name, 'EventSource', 'name')
    },
  },
  {
    name: 'the prototype of the constructor is fixed',
    statements: [1],
    run: ({ EventSource }) => {
      const { writable, enumerable, configurable } = descriptor(EventSource, 'prototype')
      same([writable, enumerable, configurable], [false, false, false])
      const constructor = descriptor(EventSource.prototype, 'constructor')
      same(constructor.value, EventSource, 'constructor')
      same([constructor.writable, constructor.enumerable, constructor.configurable], [true, false, true])
    },
  },
  {
    name: 'EventSource inherits from EventTarget, the constructor too',
    statements: [8],
    answers,
    run: ({ EventSource, open }) => {
      same(Object.getPrototypeOf(EventSource.prototype), EventTarget.prototype)
      same(Object.getPrototypeOf(EventSource), EventTarget)
      const source = open()
      ok(source instanceof EventSource && source instanceof EventTarget, 'an instance of both')
    },
  },
  {
    name: 'the string tag is EventSource',
    statements: [8],
    answers,
    run: ({ EventSource, open }) => {
      same(Object.prototype.toString.call(open()), '[object EventSource]')
      const tag = descriptor(EventSource.prototype, Symbol.toStringTag)
      same([tag.value, tag.writable, tag.enumerable, tag.configurable], ['EventSource', false, false, true])
    },
  },
  {
    name: 'the constants are on the constructor, the prototype and instances',
    statements: [6],
    answers,
    run: ({ EventSource, open }) => {
      const source = open()
      for (const [name, value] of Object.entries(CONSTANTS)) {
        for (const target of [EventSource, EventSource.prototype, source]) {
          same((target as unknown as Record<string, unknown>)[name], value, name)
        }
      }
    },
  },
  {
    name: 'the constants are enumerable, and cannot be changed',
    statements: [6],
    run: ({ EventSource }) => {
      for (const [name, value] of Object.entries(CONSTANTS)) {
        for (const target of [EventSource, EventSource.prototype]) {
          const found = descriptor(target, name)
          same(
            [found.value, found.writable, found.enumerable, found.configurable],
            [value, false, true, false],
          )
          throwsTypeError(() => ((target as unknown as Record<string, unknown>)[name] = 5), `${name} = 5`)
        }
      }
    },
  },
  {
    name: 'the attributes are enumerable accessors of the prototype without setters',
    statements: [7],
    run: ({ EventSource }) => {
      for (const name of ATTRIBUTES) {
        const { get, set, enumerable, configurable } = descriptor(EventSource.prototype, name)
        same([typeof get, set, enumerable, configurable], ['function', undefined, true, true], name)
        same([get?.name, get?.length], [`get ${name}`, 0])
      }
    },
  },
  {
    name: 'assigning to the attributes throws in strict code and changes nothing',
    statements: [7],
    answers,
    run: ({ open, url }) => {
      const source = open() as unknown as Record<string, unknown>
      for (const name of ATTRIBUTES) throwsTypeError(() => (source[name] = 'x'), `${name} = 'x'`)
      same([source['url'], source['readyState'], source['withCredentials']], [url(), 0, false])
    },
  },
  {
    name: 'the handlers are enumerable accessors of the prototype with setters',
    statements: [9],
    run: ({ EventSource }) => {
      for (const name of HANDLERS) {
        const { get, set, enumerable, configurable } = descriptor(EventSource.prototype, name)
        same([typeof get, typeof set, enumerable, configurable], ['function', 'function', true, true], name)
        same([get?.name, get?.length, set?.name, set?.length], [`get ${name}`, 0, `set ${name}`, 1])
      }
    },
  },
  {
    name: 'close is an enumerable method of the prototype',
    statements: [7, 37],
    run: ({ EventSource }) => {
      const { value, writable, enumerable, configurable } = descriptor(EventSource.prototype, 'close')
      same([typeof value, writable, enumerable, configurable], ['function', true, true, true])
      same([(value as () => void).name, (value as () => void).length], ['close', 0])
    },
  },
  {
    name: 'the accessors and close throw a TypeError on anything else',
    statements: [7],
    run: ({ EventSource }) => {
      const { prototype } = EventSource
      for (const other of [...NOT_SOURCES, prototype, new EventTarget()]) {
        for (const name of [...ATTRIBUTES, ...HANDLERS]) {
          const { get, set } = descriptor(prototype, name)
          throwsTypeError(() => get?.call(other) as unknown, `get ${name}`)
          if (set) throwsTypeError(() => set.call(other, null), `set ${name}`)
        }
        throwsTypeError(() => prototype.close.call(other as EventSource), 'close()')
      }
    },
  },
  {
    name: 'an instance has no enumerable property of its own',
    statements: [7],
    answers,
    run: ({ open }) => {
      const source = open()
      same(Object.keys(source), [])
      const names: string[] = []
      // oxlint-disable-next-line eslint/guard-for-in -- inherited names are what is asked for
      for (const name in source) names.push(name)
      for (const name of [
        ...ATTRIBUTES,
        ...HANDLERS,
        ...Object.keys(CONSTANTS),
        'close',
        'addEventListener',
      ]) {
        ok(names.includes(name), `for-in finds ${name}`)
      }
    },
  },
  {
    name: 'a property that is put on the prototype reaches instances',
    statements: [10],
    answers,
    run: ({ EventSource, open }) => {
      const prototype = EventSource.prototype as unknown as Record<string, unknown>
      prototype['madeUp'] = 'yes'
      try {
        same((open() as unknown as Record<string, unknown>)['madeUp'], 'yes')
      } finally {
        delete prototype['madeUp']
      }
    },
  },
  {
    name: 'a subclass works, and is seen as one',
    statements: [8],
    answers: [['HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n', HANG]],
    run: async ({ EventSource, watchOf, url }) => {
      class Special extends EventSource {
        readonly special = 'yes'
      }
      const source = new Special(url())
      ok(source instanceof Special && source instanceof EventSource, 'an instance of both')
      same([source.special, source.readyState], ['yes', 0])
      const told = watchOf(source)
      await told.nth('message')
      source.close()
      same(told.notes, ['open 1', 'message a'])
    },
  },
  {
    name: 'it is exposed in every kind of scope that runs the cases',
    statements: [10],
    skip: { ours: 'a module exports it; it is no global' },
    run: ({ EventSource }) => {
      const { value, writable, enumerable, configurable } = descriptor(globalThis, 'EventSource')
      same([value === EventSource, writable, enumerable, configurable], [true, true, false, true])
    },
  },
]
