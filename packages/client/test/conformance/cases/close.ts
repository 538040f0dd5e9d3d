/** close(), at any moment: 9.2.2. */
import { same } from '../assert.ts'
import type { Case, Kit } from '../case.ts'
import { microtasks } from '../watch.ts'
import { HANG, soon, status, STREAM_HEAD, stream, wait } from '../script.ts'

/** Long enough for whatever would come to come. */
const A_WHILE = 300

/** The connection is seen to close, and nobody asks again. */
async function gone(kit: Kit, requests: number, closed: readonly boolean[]): Promise<void> {
  await kit.log({ closed: closed.filter(Boolean).length })
  await kit.quiet(A_WHILE)
  const log = await kit.log()
  same(log.requests.length, requests, 'requests')
  same(
    log.requests.map(({ closed }) => closed !== undefined),
    closed,
    'closed by the client',
  )
}

const many = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `data: ${from + i}\n\n`).join('')

export const closeCases: readonly Case[] = [
  {
    name: 'close() closes at once, returns undefined, and may be called again',
    statements: [37],
    answers: [[HANG]],
    run: ({ open }) => {
      const source = open()
      same((source as { close(): unknown }).close(), undefined)
      same(source.readyState, 2)
      source.close()
      same(source.readyState, 2)
    },
  },
  {
    name: 'close() right after the constructor: nothing is told',
    statements: [37],
    answers: () => stream('data: a\n\n'),
    run: async (kit) => {
      const told = kit.watch()
      told.source.close()
      same(told.source.readyState, 2)
      await kit.quiet(A_WHILE)
      same([told.notes, told.source.readyState], [[], 2])
      const { requests } = await kit.log()
      same(requests.length <= 1, true, 'at most one request')
    },
  },
  {
    name: 'close() in a microtask after the constructor: nothing is told',
    statements: [37],
    answers: () => stream('data: a\n\n'),
    run: async (kit) => {
      const told = kit.watch()
      await microtasks(1)
      told.source.close()
      await kit.quiet(A_WHILE)
      same(told.notes, [])
    },
  },
  {
    name: 'close() while the server has not answered: the connection is closed',
    statements: [37],
    answers: [[HANG]],
    run: async (kit) => {
      const told = kit.watch()
      await kit.log({ requests: 1 })
      told.source.close()
      same(told.source.readyState, 2)
      await gone(kit, 1, [true])
      same(told.notes, [])
    },
  },
  {
    name: 'close() within the head: the connection is closed',
    statements: [37],
    answers: [['HTTP/1.1 200 OK\r\nContent-', HANG]],
    run: async (kit) => {
      const told = kit.watch()
      await kit.log({ requests: 1 })
      await kit.quiet(30)
      told.source.close()
      await gone(kit, 1, [true])
      same(told.notes, [])
    },
  },
  {
    name: 'close() in open: nothing more is told, and the connection is closed',
    statements: [36, 37],
    answers: [[`${STREAM_HEAD}retry: 10\ndata: a\n\n`, HANG]],
    run: async (kit) => {
      const told = kit.watch()
      told.source.addEventListener('open', () => told.source.close())
      await told.nth('open')
      await gone(kit, 1, [true])
      same([told.notes, told.source.readyState], [['open 1'], 2])
    },
  },
  {
    name: 'close() in a message: the rest of the chunk is not told',
    statements: [36, 37],
    answers: [stream(many(1, 50), HANG)],
    run: async (kit) => {
      const told = kit.watch()
      told.source.addEventListener('message', ({ data }: MessageEvent<string>) => {
        if (data === '3') told.source.close()
      })
      await told.nth('message', 3)
      await gone(kit, 1, [true])
      same(told.notes, ['open 1', 'message 1', 'message 2', 'message 3'])
    },
  },
  {
    name: 'close() in a message of a stream that has ended: no error is told',
    statements: [36, 37],
    answers: [soon(many(1, 5))],
    run: async (kit) => {
      const told = kit.watch()
      told.source.addEventListener('message', () => told.source.close())
      await told.nth('message')
      await kit.quiet(A_WHILE)
      same(told.notes, ['open 1', 'message 1'])
      same((await kit.log()).requests.length, 1)
    },
  },
  {
    name: 'close() in a microtask of a message: the rest of the chunk is not told',
    statements: [35, 36],
    answers: [stream(many(1, 5), HANG)],
    run: async (kit) => {
      const told = kit.watch()
      told.source.addEventListener('message', () => queueMicrotask(() => told.source.close()))
      await told.nth('message')
      await gone(kit, 1, [true])
      same(told.notes, ['open 1', 'message 1'])
    },
  },
  {
    name: 'close() in the first of two listeners: the second one hears that event yet',
    statements: [36],
    answers: [stream(many(1, 2), HANG)],
    run: async (kit) => {
      const source = kit.open()
      source.addEventListener('message', () => source.close())
      const told = kit.watchOf(source)
      await told.nth('message')
      await kit.quiet(50)
      same(told.notes.slice(-1), ['message 1'])
    },
  },
  {
    name: 'close() in the middle of an event: what comes later is not told',
    statements: [37],
    answers: [stream('data: a\n\ndata: b\n', wait('go'), '\ndata: c\n\n')],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      told.source.close()
      await gone(kit, 1, [true])
      same(told.notes, ['open 1', 'message a'])
    },
  },
  {
    name: 'close() in error: nobody asks again',
    statements: [37, 38],
    answers: [soon('data: a\n\n'), stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const source = kit.open()
      const told = kit.watchOf(source)
      source.addEventListener('error', () => source.close())
      await told.nth('error')
      await gone(kit, 1, [false])
      same(source.readyState, 2)
      same(told.notes, ['open 1', 'message a', 'error 0'])
    },
  },
  {
    name: 'close() during the wait: nobody asks again',
    statements: [31, 38],
    answers: [stream('retry: 200\n\n'), stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      await kit.quiet(50)
      told.source.close()
      same(told.source.readyState, 2)
      await gone(kit, 1, [false])
      same(told.notes, ['open 1', 'error 0'])
    },
  },
  {
    name: 'close() while a reconnection is not answered: the connection is closed',
    statements: [37, 38],
    answers: [soon(), [HANG]],
    run: async (kit) => {
      const told = kit.watch()
      await kit.log({ requests: 2 })
      same(told.source.readyState, 0)
      told.source.close()
      await gone(kit, 2, [false, true])
      same(told.notes, ['open 1', 'error 0'])
    },
  },
  {
    name: 'close() after a failure changes nothing',
    statements: [37],
    answers: [status(204)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      told.source.close()
      told.source.close()
      await kit.quiet(50)
      same([told.notes, told.source.readyState], [['error 2'], 2])
    },
  },
  {
    name: 'close() fires no event',
    statements: [37],
    answers: [stream('data: a\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      told.source.close()
      told.source.close()
      same(told.source.readyState, 2)
      await kit.quiet(A_WHILE)
      same(told.notes, ['open 1', 'message a'])
    },
  },
  {
    name: 'close() of one source leaves another of the same URL alone',
    statements: [37],
    answers: () => stream('data: a\n\n', wait('go'), 'data: b\n\n', HANG),
    run: async (kit) => {
      const [one, other] = [kit.watch(), kit.watch()]
      await Promise.all([one.nth('message'), other.nth('message')])
      one.source.close()
      await kit.log({ closed: 1 })
      await kit.go('go')
      await other.nth('message', 2)
      same(
        [one.notes, other.notes],
        [
          ['open 1', 'message a'],
          ['open 1', 'message a', 'message b'],
        ],
      )
    },
  },
]
