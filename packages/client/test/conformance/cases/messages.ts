/** The message event: 9.2.6, and MessageEvent of 9.1. */
import { ok, same } from '../assert.ts'
import type { Case } from '../case.ts'
import { HANG, stream } from '../script.ts'

const answers = [stream('id: 7\ndata: a\n\nevent: other\ndata: b\n\n', HANG)]

export const messageCases: readonly Case[] = [
  {
    name: 'a message is a MessageEvent with data, origin, lastEventId, and nothing in source and ports',
    statements: [57],
    answers,
    run: async (kit) => {
      const told = kit.watch(kit.url(), 'other')
      await told.nth('other')
      for (const [event, data] of [
        [told.messages[0], 'a'],
        [told.messages[1], 'b'],
      ] as const) {
        ok(event, 'a message')
        same(Object.getPrototypeOf(event) === MessageEvent.prototype, true, 'the class')
        same([event.data, event.origin, event.lastEventId], [data, kit.origin, '7'])
        same([event.source, [...event.ports]], [null, []])
      }
    },
  },
  {
    name: 'a message neither bubbles nor can be cancelled, and its target is the source',
    statements: [58],
    answers,
    run: async (kit) => {
      const told = kit.watch(kit.url(), 'other')
      await told.nth('other')
      for (const event of told.messages) {
        same(
          [event.bubbles, event.cancelable, event.composed, event.target === told.source],
          [false, false, false, true],
        )
        event.preventDefault()
        same(event.defaultPrevented, false)
        ok(Math.abs(event.timeStamp - performance.now()) < 60_000, `timeStamp ${event.timeStamp}`)
      }
    },
  },
  {
    name: 'the properties of a message cannot be changed',
    statements: [57],
    deviates: { deno: "those of Deno's MessageEvent are plain properties" },
    answers,
    run: async (kit) => {
      const told = kit.watch()
      const event = (await told.nth('message')) as unknown as Record<string, unknown>
      for (const name of ['data', 'origin', 'lastEventId']) {
        const before = event[name]
        try {
          event[name] = 'x'
        } catch {
          // Accessors without a setter throw in strict code.
        }
        same(event[name], before, name)
      }
    },
  },
  {
    name: 'each message is an object of its own, and keeps what it said',
    statements: [57],
    answers: [stream('id: 1\ndata: a\n\nid: 2\ndata: b\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      ok(told.messages[0] !== told.messages[1], 'two objects')
      same(told.whole, [
        ['message', 'a', '1'],
        ['message', 'b', '2'],
      ])
    },
  },
  {
    name: 'the origin of a message has no path, no user and no default port',
    statements: [57],
    answers: [stream('data: a\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch(kit.url('stream?a#b'))
      await told.nth('message')
      same(told.messages[0]?.origin, kit.origin)
    },
  },
  {
    name: 'a type is dispatched to its listeners alone',
    statements: [58],
    answers: [stream('event: a\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\n', HANG)],
    run: async (kit) => {
      const source = kit.open()
      const heard: string[] = []
      for (const type of ['a', 'b', 'A']) {
        source.addEventListener(type, ({ data }: MessageEvent<string>) => heard.push(`${type} ${data}`))
      }
      await kit.watchOf(source).nth('message')
      same(heard, ['a 1', 'b 2'])
    },
  },
]
