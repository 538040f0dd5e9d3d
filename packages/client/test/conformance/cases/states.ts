/** States, events, and the tasks they happen in: 9.2.3. */
import { ok, same } from '../assert.ts'
import type { Case } from '../case.ts'
import { HANG, STREAM_HEAD, gap, soon, status, stream, wait } from '../script.ts'
import { isMessage, microtasks } from '../watch.ts'

/** Looks at the state between all tasks until it is told to stop, and returns the states seen that had not been told. */
function spy(source: EventSource): () => readonly string[] {
  const early = new Set<string>()
  let told = source.readyState
  for (const type of ['open', 'error']) source.addEventListener(type, () => (told = source.readyState))
  const { port1, port2 } = new MessageChannel()
  let over = false
  port1.addEventListener('message', () => {
    if (source.readyState !== told) early.add(`${source.readyState} before an event`)
    if (!over) port2.postMessage(0)
  })
  port1.start()
  port2.postMessage(0)
  return () => {
    over = true
    port1.close()
    return [...early]
  }
}

export const stateCases: readonly Case[] = [
  {
    name: 'a source is CONNECTING when it is made, and tells nothing before the next task',
    statements: [28],
    answers: [status(204)],
    run: async (kit) => {
      const told = kit.watch()
      same(told.source.readyState, 0)
      await microtasks(100)
      same([told.source.readyState, told.notes], [0, []])
    },
  },
  {
    name: 'it is CONNECTING while the server says nothing',
    statements: [28, 29],
    answers: [[wait('go'), ...stream('data: a\n\n', HANG)]],
    run: async (kit) => {
      const told = kit.watch()
      await kit.log({ requests: 1 })
      await kit.quiet(50)
      same([told.source.readyState, told.notes], [0, []])
      await kit.go('go')
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
    },
  },
  {
    name: 'open comes with the head, before any byte of the body',
    statements: [29],
    answers: [stream(wait('go'), 'data: a\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('open')
      same([told.notes, told.source.readyState], [['open 1'], 1])
      await kit.go('go')
      await told.nth('message')
    },
  },
  {
    name: 'open comes with the head of a chunked response, before any chunk',
    statements: [29],
    answers: [
      [
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
        wait('go'),
        '9\r\ndata: a\n\n\r\n',
        HANG,
      ],
    ],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('open')
      await kit.go('go')
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
    },
  },
  {
    name: 'the whole story in order: open, messages, error, open, messages, error, and the end',
    statements: [29, 30, 32, 34],
    answers: [soon('data: a\n\ndata: b\n\n'), soon('data: c\n\n'), status(204)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error', 3)
      same(told.notes, [
        'open 1',
        'message a',
        'message b',
        'error 0',
        'open 1',
        'message c',
        'error 0',
        'error 2',
      ])
      same(told.source.readyState, 2)
    },
  },
  {
    name: 'the error of a connection that ended is told before the next request',
    statements: [30],
    answers: [stream('retry: 300\n\n'), stream(HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      same((await kit.log()).requests.length, 1)
      same(told.source.readyState, 0)
      await told.nth('open', 2)
    },
  },
  {
    name: 'after a failure nothing is told, and nobody asks again',
    statements: [32],
    answers: [soon('data: a\n\n'), status(410), stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error', 2)
      await kit.quiet(400)
      same([told.notes.slice(-1), told.told.length, told.source.readyState], [['error 2'], 4, 2])
      same((await kit.log()).requests.length, 2)
    },
  },
  {
    name: 'open and error are plain events, and neither bubble nor can be cancelled',
    statements: [33],
    answers: [soon(), status(204)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error', 2)
      same(told.told.length, 3)
      for (const { event, type } of told.told) {
        same(Object.getPrototypeOf(event) === Event.prototype, true, `the class of ${type}`)
        same(
          ['data' in event, 'message' in event, event.bubbles, event.cancelable],
          [false, false, false, false],
          type,
        )
        same(
          [event.composed, event.defaultPrevented, event.target === told.source],
          [false, false, true],
          type,
        )
      }
    },
  },
  {
    name: 'while an event is dispatched the source is its current target, and alone in its path',
    statements: [33, 58],
    answers: [stream('data: a\n\n', HANG)],
    run: async (kit) => {
      const source = kit.open()
      for (const type of ['open', 'message']) {
        const seen = await new Promise<unknown[]>((resolve) => {
          source.addEventListener(type, (event) => {
            const path = event.composedPath()
            resolve([event.currentTarget === source, event.eventPhase, path.length, path[0] === source])
          })
        })
        same(seen, [true, 2, 1, true], type)
      }
    },
  },
  {
    name: 'events are trusted',
    statements: [33, 58],
    deviates: { ours: 'a script cannot make an event that is trusted' },
    answers: [stream('data: a\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same(
        told.told.map(({ event }) => event.isTrusted),
        [true, true],
      )
    },
  },
  {
    name: 'the state changes in the task of its event: nobody sees OPEN before open, nor CLOSED before error',
    statements: [29, 30, 32],
    answers: [soon('data: a\n\n'), soon(gap(20)), status(404)],
    run: async (kit) => {
      const told = kit.watch()
      const seen = spy(told.source)
      await told.nth('error', 3)
      same(seen(), [])
    },
  },
  {
    name: 'each event has a task of its own: what a listener queues as microtasks runs before the next event',
    statements: [35],
    answers: [stream('data: a\n\ndata: b\n\ndata: c\n\n', HANG)],
    run: async (kit) => {
      const source = kit.open()
      const order: string[] = []
      await new Promise<void>((resolve) => {
        source.addEventListener('message', ({ data }: MessageEvent<string>) => {
          order.push(data)
          void (async () => {
            await microtasks(20)
            order.push(`${data} later`)
            if (data === 'c') resolve()
          })()
        })
      })
      same(order, ['a', 'a later', 'b', 'b later', 'c', 'c later'])
    },
  },
  {
    name: 'what a listener of open queues as microtasks runs before the first message',
    statements: [29, 35],
    answers: [[`${STREAM_HEAD}data: a\n\n`, HANG]],
    run: async (kit) => {
      const source = kit.open()
      const order: string[] = []
      await new Promise<void>((resolve) => {
        source.addEventListener('open', () => {
          void (async () => {
            await microtasks(20)
            order.push('microtasks of open')
          })()
        })
        source.addEventListener('message', () => {
          order.push('message')
          resolve()
        })
      })
      same(order, ['microtasks of open', 'message'])
    },
  },
  {
    name: 'microtasks run between two listeners of one event',
    statements: [35],
    deviates: { ours: 'dispatchEvent, when a script calls it, runs no microtasks before it returns' },
    answers: [stream('data: a\n\n', HANG)],
    run: async (kit) => {
      const source = kit.open()
      const order: string[] = []
      await new Promise<void>((resolve) => {
        source.addEventListener('message', () => {
          void Promise.resolve().then(() => order.push('microtask'))
        })
        source.addEventListener('message', () => {
          order.push('second')
          resolve()
        })
      })
      same(order, ['microtask', 'second'])
    },
  },
  {
    name: 'a listener that throws stops neither other listeners nor later events',
    statements: [29, 35],
    answers: [soon('data: a\n\ndata: b\n\n'), status(204)],
    run: async (kit) => {
      kit.expectUncaught('a listener throws on purpose')
      const source = kit.open()
      for (const type of ['open', 'message', 'error']) {
        source.addEventListener(type, () => {
          throw new Error('a listener throws on purpose')
        })
      }
      const told = kit.watchOf(source)
      await told.nth('error', 2)
      same(told.notes, ['open 1', 'message a', 'message b', 'error 0', 'error 2'])
      // As in handlers.ts: not in the turn of an uncaught error.
      await kit.quiet(20)
    },
  },
  {
    name: 'two hundred events of one chunk are told in order, each with its id',
    statements: [35, 56],
    answers: [stream(Array.from({ length: 200 }, (_, i) => `id: ${i}\ndata: ${i}\n\n`).join(''), HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 200)
      same(
        told.whole,
        Array.from({ length: 200 }, (_, i) => ['message', `${i}`, `${i}`]),
      )
    },
  },
  {
    name: 'listeners that were added in time hear open and the first message, however late that is',
    statements: [29, 36],
    answers: [[`${STREAM_HEAD}data: a\n\n`, HANG]],
    run: async (kit) => {
      const source = kit.open()
      await Promise.resolve()
      const told = kit.watchOf(source)
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
    },
  },
  {
    name: 'an open or error that a server sends is a message, and changes no state',
    statements: [48],
    answers: [stream('event: open\ndata: a\n\nevent: error\ndata: b\n\ndata: c\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same(
        told.told.map(({ event, type, state }) => [type, state, isMessage(event)]),
        [
          ['open', 1, false],
          ['open', 1, true],
          ['error', 1, true],
          ['message', 1, true],
        ],
      )
      ok(told.source.readyState === 1, 'it is open')
    },
  },
]
