/** EventSource.fromReadableStream(), as whatwg/html pull request 12272 has it. */
import { ok, same, throwsTypeError } from '../assert.ts'
import type { Case, Kit } from '../case.ts'
import { bytesOf, HANG, OPEN_HEAD } from '../script.ts'
import type { Watch } from '../watch.ts'
import { beyond, ourClass, type OurClass, type OurSource } from './ours.ts'

const streamOf = (...chunks: readonly (string | Uint8Array)[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === 'string' ? bytesOf(chunk) : chunk)
      controller.close()
    },
  })

const endless = (cancelled: (reason: unknown) => void = () => {}): ReadableStream<Uint8Array> =>
  new ReadableStream({ cancel: cancelled })

type Init = Parameters<OurClass['fromReadableStream']>[1]

function open(kit: Kit, stream: ReadableStream<Uint8Array>, init?: Init): { told: Watch; source: OurSource } {
  const source = ourClass(kit).fromReadableStream(stream, init)
  return { source, told: kit.watchOf(source, 'custom') }
}

const statements = [61]

export const fromStreamCases: readonly Case[] = (
  [
    {
      name: 'a source of a stream is an EventSource that is CONNECTING, with the URL about:event-stream',
      run: (kit) => {
        const { source } = open(kit, endless())
        ok(source instanceof ourClass(kit), 'an EventSource')
        same(
          [source.readyState, source.url, source.withCredentials, source.lastEventId],
          [0, 'about:event-stream', false, ''],
        )
        ok(source.reconnectionTime > 0, 'reconnectionTime')
        source.close()
        same(source.readyState, 2)
      },
    },
    {
      name: 'a locked stream is a TypeError, and so is what is no stream',
      run: (kit) => {
        const locked = endless()
        locked.getReader()
        const { fromReadableStream } = ourClass(kit) as unknown as Record<
          string,
          (stream: unknown) => unknown
        >
        for (const stream of [locked, undefined, null, {}, 'data: a\n\n']) {
          throwsTypeError(() => fromReadableStream?.(stream), typeof stream)
        }
      },
    },
    {
      name: 'its stream is read: open, messages of origin "null", and an error that closes it',
      run: async (kit) => {
        const { told, source } = open(
          kit,
          streamOf('\uFEFF: x\nid: 4', '2\nda', 'ta: a\rdata: b\r\n\r\nevent: custom\ndata: c\n\ndata: lost'),
        )
        await told.nth('error')
        same(told.notes, ['open 1', 'message a\nb', 'custom c', 'error 2'])
        same(
          told.messages.map(({ origin, lastEventId }) => [origin, lastEventId]),
          [
            ['null', '42'],
            ['null', '42'],
          ],
        )
        await kit.quiet(150)
        same([told.told.length, source.readyState, source.lastEventId], [4, 2, '42'])
      },
    },
    {
      name: 'a stream without bytes opens and closes',
      run: async (kit) => {
        const { told } = open(kit, streamOf())
        await told.nth('error')
        same(told.notes, ['open 1', 'error 2'])
      },
    },
    {
      name: 'a stream that fails closes it',
      run: async (kit) => {
        const { told } = open(
          kit,
          new ReadableStream({ start: (controller) => controller.error(new Error('x')) }),
        )
        await told.nth('error')
        same(told.notes.slice(-1), ['error 2'])
      },
    },
    {
      name: 'chunks that are no bytes close it',
      run: async (kit) => {
        const text = new ReadableStream({ start: (controller) => controller.enqueue('data: a\n\n') })
        const { told } = open(kit, text as ReadableStream<Uint8Array>)
        await told.nth('error')
        same(told.notes, ['open 1', 'error 2'])
      },
    },
    {
      name: 'close() cancels the stream',
      run: async (kit) => {
        const cancelled = new Promise((resolve) => {
          const { source, told } = open(
            kit,
            endless(() => resolve(true)),
          )
          void told.nth('open').then(() => source.close())
        })
        same(await cancelled, true)
      },
    },
    {
      name: 'retry sets reconnectionTime, when it is only digits',
      run: async (kit) => {
        const { told, source } = open(kit, streamOf('retry: 5000\nretry: bogus\ndata: a\n\n'))
        await told.nth('message')
        same(source.reconnectionTime, 5000)
      },
    },
    {
      name: 'lastEventId begins with that of the options',
      run: async (kit) => {
        const { told, source } = open(kit, streamOf('data: a\n\n'), { lastEventId: '41' })
        same(source.lastEventId, '41')
        await told.nth('message')
        same(told.whole, [['message', 'a', '41']])
      },
    },
    {
      name: 'several streams are piped through one, and id and time are kept',
      run: async (kit) => {
        const pipe = new TransformStream<Uint8Array, Uint8Array>()
        const { told, source } = open(kit, pipe.readable)
        await streamOf('id: 42\nretry: 1234\ndata: a\n\n').pipeTo(pipe.writable, { preventClose: true })
        await told.nth('message')
        await streamOf('data: b\n\n').pipeTo(pipe.writable)
        await told.nth('error')
        same(told.notes, ['open 1', 'message a', 'message b', 'error 2'])
        same([source.lastEventId, source.reconnectionTime], ['42', 1234])
      },
    },
    {
      name: 'reset() forgets what an unfinished stream has left, and a byte order mark is stripped again',
      run: async (kit) => {
        const pipe = new TransformStream<Uint8Array, Uint8Array>()
        const { told, source } = open(kit, pipe.readable)
        await streamOf('id: 1\ndata: a\n\nid: 2\nevent: custom\ndata: lost\nda').pipeTo(pipe.writable, {
          preventClose: true,
        })
        await told.nth('message')
        await kit.quiet(20)
        source.reset()
        await streamOf('\uFEFFdata: b\n\n').pipeTo(pipe.writable)
        await told.nth('error')
        same(told.whole, [
          ['message', 'a', '1'],
          ['message', 'b', '1'],
        ])
      },
    },
    {
      name: 'the body of a response is such a stream',
      answers: [[OPEN_HEAD, 'data: a\n\n', HANG]],
      run: async (kit) => {
        const { body } = await fetch(kit.url())
        ok(body, 'a body')
        const { told, source } = open(kit, body)
        await told.nth('message')
        source.close()
        const { requests } = await kit.log({ closed: 1 })
        same([told.notes, requests[0]?.closed !== undefined], [['open 1', 'message a'], true])
      },
    },
  ] satisfies readonly Omit<Case, 'statements'>[]
).map((one: Omit<Case, 'statements'>) => beyond({ ...one, statements }))
