/** Who keeps a source alive: 9.2.9. What a whole process or document does is in the runners. */
import { same } from '../assert.ts'
import type { Case, Kit } from '../case.ts'
import { HANG, soon, stream, wait } from '../script.ts'

/** Collects garbage where the runtime was started so that a script may. */
async function collect(kit: Kit): Promise<void> {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } }
  for (let i = 0; i < 5; i++) {
    if (Bun) Bun.gc(true)
    else gc?.()
    await kit.quiet(10)
  }
}

const skip = { chromium: 'no page is given a garbage collector to call' }

export const lifetimeCases: readonly Case[] = [
  {
    name: 'window.stop() is final',
    statements: [25, 32],
    skip: { process: 'there is no window', worker: 'there is no window', shared: 'there is no window' },
    alone: true,
    deviates: { ours: 'a script is told no more than of a lost connection' },
    answers: [soon('data: a\n\n', HANG), stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      window.stop()
      await told.nth('error')
      await kit.quiet(300)
      same([told.notes, told.source.readyState], [['open 1', 'message a', 'error 2'], 2])
      same((await kit.log()).requests.length, 1)
    },
  },
  {
    name: 'window.stop() is final before the server has answered, too',
    statements: [25, 32],
    skip: { process: 'there is no window', worker: 'there is no window', shared: 'there is no window' },
    alone: true,
    deviates: { ours: 'a script is told no more than of a lost connection' },
    answers: [[HANG], stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await kit.log({ requests: 1 })
      window.stop()
      await told.nth('error')
      same(told.notes, ['error 2'])
    },
  },
  {
    name: 'a source that nobody holds tells its listeners what comes',
    statements: [59],
    skip,
    answers: [stream('data: a\n\n', wait('go'), 'data: b\n\n', HANG)],
    run: async (kit) => {
      const heard: string[] = []
      const done = new Promise<void>((resolve) => {
        const source = new kit.EventSource(kit.url())
        // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the attribute must keep it alive, too
        source.onmessage = function ({ data }: MessageEvent<string>) {
          heard.push(data)
          if (data === 'b') {
            this.close()
            resolve()
          }
        }
      })
      await kit.log({ requests: 1 })
      await collect(kit)
      await kit.go('go')
      await done
      same(heard, ['a', 'b'])
    },
  },
  {
    name: 'a source that nobody holds connects again',
    statements: [59],
    skip,
    answers: [stream('retry: 200\ndata: a\n\n'), soon('data: b\n\n', HANG)],
    run: async (kit) => {
      const heard: string[] = []
      const done = new Promise<void>((resolve) => {
        const source = new kit.EventSource(kit.url())
        source.addEventListener('message', ({ data, target }: MessageEvent<string>) => {
          heard.push(data)
          if (data === 'b') {
            ;(target as EventSource).close()
            resolve()
          }
        })
      })
      await kit.log({ ended: 1 })
      await collect(kit)
      await done
      same(heard, ['a', 'b'])
    },
  },
]
