/** The attributes onopen, onmessage and onerror, and what EventTarget gives: 8.1.8.1 and DOM 2.7. */
/* oxlint-disable unicorn/prefer-add-event-listener -- these attributes are what is tested */
import { ok, same } from '../assert.ts'
import type { Case, EventSourceClass } from '../case.ts'
import { HANG, soon, status, stream, wait } from '../script.ts'

const answers = [stream(wait('go'), 'data: a\n\n', wait('more'), 'data: b\n\n', HANG)]
const HANDLERS = ['onopen', 'onmessage', 'onerror'] as const
/** With handlers that the types forbid. */
type Loose = EventTarget & Record<(typeof HANDLERS)[number], unknown>
const none: readonly never[] = []

const closed = (EventSource: EventSourceClass, url: string): Loose => {
  const source = new EventSource(url)
  source.close()
  return source
}

/** Handlers are there for events that anybody dispatches, so order needs no server. */
const dispatch = (source: EventTarget, type = 'message'): void => void source.dispatchEvent(new Event(type))

export const handlerCases: readonly Case[] = [
  {
    name: 'the handlers are null at first',
    statements: [9],
    run: ({ EventSource, url }) => {
      const source = closed(EventSource, url())
      same(
        HANDLERS.map((name) => source[name]),
        [null, null, null],
      )
    },
  },
  {
    name: 'a handler that is no object becomes null',
    statements: [9],
    run: ({ EventSource, url }) => {
      const source = closed(EventSource, url())
      for (const name of HANDLERS) {
        for (const value of [undefined, 5, 'x', true, Symbol('x'), 5n]) {
          source[name] = () => {}
          source[name] = value
          same(source[name], null, `${name} = ${String(value)}`)
        }
      }
    },
  },
  {
    name: 'a handler that is an object is kept, and not called',
    statements: [9],
    run: ({ EventSource, url }) => {
      const source = closed(EventSource, url())
      let calls = 0
      const object = { handleEvent: () => calls++ }
      for (const name of HANDLERS) {
        source[name] = object
        same(source[name], object, name)
        dispatch(source, name.slice(2))
      }
      same(calls, 0)
    },
  },
  {
    name: 'a handler is called with the source as this, and the event alone',
    statements: [9],
    answers,
    run: async ({ open, go }) => {
      const source = open()
      const event = await new Promise<Event>((resolve, reject) => {
        source.onmessage = function (this: unknown, ...args: unknown[]) {
          if (this === source && args.length === 1) resolve(args[0] as Event)
          else reject(new Error('another this, or more arguments'))
        }
        void go('go')
      })
      same([event.type, event.target === source], ['message', true])
    },
  },
  {
    name: 'a handler that is replaced keeps its place among the listeners',
    statements: [9],
    run: ({ EventSource, url }) => {
      const source = closed(EventSource, url())
      const order: string[] = []
      source.addEventListener('message', () => order.push('first'))
      source.onmessage = () => order.push('replaced')
      source.addEventListener('message', () => order.push('last'))
      source.onmessage = () => order.push('handler')
      dispatch(source)
      same(order, ['first', 'handler', 'last'])
    },
  },
  {
    name: 'a handler that is replaced by an object and then by a function keeps its place',
    statements: [9],
    run: ({ EventSource, url }) => {
      const source = closed(EventSource, url())
      const order: string[] = []
      source.onmessage = () => order.push('replaced')
      source.addEventListener('message', () => order.push('last'))
      source.onmessage = {}
      source.onmessage = () => order.push('handler')
      dispatch(source)
      same(order, ['handler', 'last'])
    },
  },
  {
    name: 'a handler that was null goes to the end',
    statements: [9],
    run: ({ EventSource, url }) => {
      const source = closed(EventSource, url())
      const order: string[] = []
      source.onmessage = () => order.push('gone')
      source.addEventListener('message', () => order.push('listener'))
      source.onmessage = null
      dispatch(source)
      source.onmessage = () => order.push('handler')
      dispatch(source)
      same(order, ['listener', 'listener', 'handler'])
    },
  },
  {
    name: 'a function that is handler and listener is called twice',
    statements: [9],
    run: ({ EventSource, url }) => {
      const source = closed(EventSource, url())
      let calls = 0
      const both = (): void => void calls++
      source.onmessage = both
      source.addEventListener('message', both)
      dispatch(source)
      same(calls, 2)
      source.removeEventListener('message', both)
      dispatch(source)
      same(calls, 3, 'removeEventListener does not remove the handler')
    },
  },
  {
    name: 'a handler that sets itself to null has been called for the last time',
    statements: [9],
    run: ({ EventSource, url }) => {
      const source = closed(EventSource, url())
      let calls = 0
      source.onerror = () => {
        calls++
        source.onerror = null
      }
      dispatch(source, 'error')
      dispatch(source, 'error')
      same(calls, 1)
    },
  },
  {
    name: 'a handler that returns false, and one that throws, stop nothing',
    statements: [9],
    answers: [stream('data: a\n\ndata: b\n\ndata: c\n\n', HANG)],
    run: async (kit) => {
      kit.expectUncaught('a handler throws on purpose')
      const source = kit.open()
      source.onmessage = ({ data }: MessageEvent<string>) => {
        if (data === 'a') return false
        throw new Error('a handler throws on purpose')
      }
      const told = kit.watchOf(source)
      await told.nth('message', 3)
      same(told.notes, ['open 1', 'message a', 'message b', 'message c'])
      // An uncaught error upsets the order of Node's ticks; a close in the same turn would trip an assertion of its fetch.
      await kit.quiet(20)
    },
  },
  {
    name: 'the handlers of one source are not those of another',
    statements: [9],
    run: ({ EventSource, url }) => {
      const [one, other] = [closed(EventSource, url()), closed(EventSource, url())]
      one.onopen = () => {}
      same([typeof one.onopen, one.onmessage, other.onopen], ['function', null, null])
    },
  },
  {
    name: 'onopen, onmessage and onerror are called for what happens',
    statements: [9],
    answers: [soon('data: a\n\n'), status(204)],
    run: async ({ open }) => {
      const source = open()
      const order: string[] = []
      await new Promise<void>((resolve) => {
        source.onopen = ({ type }) => order.push(`${type} ${source.readyState}`)
        source.onmessage = ({ type, data }: MessageEvent<string>) => order.push(`${type} ${data}`)
        source.onerror = ({ type }) => {
          order.push(`${type} ${source.readyState}`)
          if (source.readyState === 2) resolve()
        }
      })
      same(order, ['open 1', 'message a', 'error 0', 'error 2'])
    },
  },
  {
    name: 'onmessage is not called for events of other types',
    statements: [9, 47],
    answers: [stream('event: a\ndata: a\n\nevent: Message\ndata: b\n\ndata: c\n\n', HANG)],
    run: async ({ open }) => {
      const source = open()
      const event = await new Promise<MessageEvent<string>>((resolve) => {
        source.onmessage = resolve
      })
      same(event.data, 'c')
    },
  },
  {
    name: 'listeners with once, with a signal, with handleEvent, and removed ones do what EventTarget says',
    statements: [8],
    answers,
    run: async ({ open, watchOf, go }) => {
      const source = open()
      const calls: string[] = []
      const aborter = new AbortController()
      const removed = (): void => void calls.push('removed')
      source.addEventListener('message', () => calls.push('once'), { once: true })
      source.addEventListener('message', () => calls.push('signal'), { signal: aborter.signal })
      source.addEventListener('message', { handleEvent: () => calls.push('handleEvent') })
      source.addEventListener('message', removed)
      source.removeEventListener('message', removed)
      const told = watchOf(source)
      await go('go')
      await told.nth('message')
      aborter.abort()
      await go('more')
      await told.nth('message', 2)
      same(calls, ['once', 'signal', 'handleEvent', 'handleEvent'])
    },
  },
  {
    name: 'all listeners of an event see the same object, and stopImmediatePropagation ends it',
    statements: [8],
    answers: [stream('data: a\n\n', HANG)],
    run: async ({ open }) => {
      const source = open()
      const events: Event[] = []
      await new Promise<void>((resolve) => {
        source.addEventListener('message', (event) => events.push(event))
        source.addEventListener('message', (event) => {
          events.push(event)
          event.stopImmediatePropagation()
          setTimeout(resolve, 30)
        })
        source.addEventListener('message', (event) => events.push(event))
      })
      same(events.length, 2)
      ok(events[0] === events[1], 'the same event')
      same(events[0]?.composedPath(), none)
    },
  },
  {
    name: 'events that anybody dispatches reach listeners and change nothing',
    statements: [8],
    answers,
    run: async ({ watch }) => {
      const told = watch()
      await told.nth('open')
      const { source } = told
      same(source.dispatchEvent(new Event('error', { cancelable: true })), true)
      source.dispatchEvent(new MessageEvent('message', { data: 'mine' }))
      same(told.notes, ['open 1', 'error 1', 'message mine'])
      same(source.readyState, 1)
    },
  },
]
