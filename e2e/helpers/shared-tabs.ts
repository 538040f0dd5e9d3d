/**
 * Tabs of a real Chromium, by its own protocol: Playwright keeps all pages visible, so that freezing does nothing, and turns the
 * back/forward cache off.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { tools } from '../../scripts/tools.mjs'

const ARGS = [
  '--headless=new',
  '--remote-debugging-port=0',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

type Answer = Readonly<Record<string, unknown>>

export interface Tab {
  /** One command to the page. */
  send(method: string, params?: object): Promise<Answer>
  /** The value of an expression; a promise is waited for. */
  evaluate<T>(expression: string): Promise<T>
  /** Waits until the expression holds. */
  until(expression: string): Promise<void>
  /** Makes it the one that is seen; the others are hidden. */
  show(): Promise<void>
  close(): Promise<void>
}

export interface Tabs {
  open(url: string): Promise<Tab>
}

/** A browser with a profile of its own; it is gone when the test is. */
export async function startTabs(t: TestContext): Promise<Tabs> {
  const profile = await mkdtemp(join(tmpdir(), 'downlink-tabs-'))
  t.after(() => rm(profile, { recursive: true, force: true, maxRetries: 20 }))
  const child = spawn(tools.chromium, [...ARGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  let told = ''
  const address = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`Chromium ended: ${told}`)))
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString()
      const found = /listening on (ws:\S+)/.exec(told)?.[1]
      if (found) resolve(found)
    })
  })
  const socket = new WebSocket(address)
  t.after(() => socket.close())
  await once(socket, 'open')
  let count = 0
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as {
      id?: number
      result?: Answer
      error?: { message: string }
    }
    const one = id === undefined ? undefined : waiting.get(id)
    if (id === undefined || !one) return
    waiting.delete(id)
    if (error) one.reject(new Error(error.message))
    else one.resolve(result ?? {})
  })
  const send = (method: string, params: object = {}, sessionId?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = ++count
      waiting.set(id, { resolve, reject })
      socket.send(JSON.stringify({ id, method, params, sessionId }))
    })

  return {
    async open(url) {
      const { targetId } = await send('Target.createTarget', { url })
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      const tab: Tab = {
        send: (method, params) => send(method, params, sessionId as string),
        async evaluate<T>(expression: string) {
          const params = { expression, awaitPromise: true, returnByValue: true }
          const { result, exceptionDetails } = await tab.send('Runtime.evaluate', params)
          if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
          return (result as { value: T }).value
        },
        async until(expression) {
          const poll = `new Promise((resolve) => { const look = () => (${expression}) ? resolve(true) : setTimeout(look, 20); look() })`
          for (;;) {
            try {
              return await tab.evaluate(poll)
            } catch (error) {
              // The page that was asked has made room for the next.
              if (!/context/i.test(String(error))) throw error
            }
          }
        },
        show: async () => void (await send('Target.activateTarget', { targetId })),
        close: async () => void (await send('Target.closeTarget', { targetId })),
      }
      await tab.until(`document.readyState === 'complete' && location.href !== 'about:blank'`)
      return tab
    },
  }
}
