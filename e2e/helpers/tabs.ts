/**
 * Chromium by its DevTools protocol alone. Playwright tells every page that it is seen and focused, and keeps none in the
 * back/forward cache: here tabs are hidden, frozen, left and found again as they are for people.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { tools } from '../../scripts/tools.mjs'
import { CHROMIUM_ARGS } from './chromium.ts'

/** Far beyond anything that a test waits for. */
const FOREVER = 60_000

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly sessionId?: string
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** A folder for the profile of a browser, so that it can be started again. */
export function profile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'downlink-tabs-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}

/** A browser with a window of its own. It is gone when the test is. */
export async function startTabs(t: TestContext, folder: string = profile(t)): Promise<Tabs> {
  const args = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${folder}`, ...CHROMIUM_ARGS]
  const child = spawn(tools.chromium, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  let tabs: Tabs | undefined
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    // Asked to close it writes what it stores; killed it may not.
    await tabs?.send('Browser.close').catch(() => {})
    const timer = setTimeout(() => child.kill('SIGKILL'), tabs ? 5_000 : 0)
    await exited
    clearTimeout(timer)
  }
  t.after(stop)
  for await (const line of createInterface({ input: child.stderr })) {
    const [, url] = /^DevTools listening on (ws:.*)$/.exec(line) ?? []
    if (url === undefined) continue
    const socket = new WebSocket(url)
    await once(socket, 'open')
    tabs = new Tabs(socket, stop)
    break
  }
  if (!tabs) throw new Error('Chromium did not start')
  child.stderr.resume()
  return tabs
}

export class Tabs {
  readonly close: () => Promise<void>
  readonly #socket: WebSocket
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  #last = 0

  constructor(socket: WebSocket, close: () => Promise<void>) {
    this.#socket = socket
    this.close = close
    socket.addEventListener('message', ({ data }) => {
      const { id, result, error } = JSON.parse(String(data)) as Message
      const call = this.#calls.get(id ?? 0)
      this.#calls.delete(id ?? 0)
      if (error) call?.reject(new Error(error.message))
      else call?.resolve(result)
    })
    socket.addEventListener('close', () => {
      for (const { reject } of this.#calls.values()) reject(new Error('The browser is gone'))
    })
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<unknown> {
    const call = Promise.withResolvers<unknown>()
    const id = ++this.#last
    this.#calls.set(id, call)
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }))
    return call.promise
  }

  /** A tab that is in front now; resolves when its page has loaded. */
  async open(url: string): Promise<Tab> {
    const { targetId } = (await this.send('Target.createTarget', { url: 'about:blank' })) as {
      targetId: string
    }
    const { sessionId } = (await this.send('Target.attachToTarget', { targetId, flatten: true })) as {
      sessionId: string
    }
    const tab = new Tab(this, targetId, sessionId)
    await tab.go(url)
    return tab
  }
}

export class Tab {
  readonly #tabs: Tabs
  readonly #targetId: string
  readonly #sessionId: string

  constructor(tabs: Tabs, targetId: string, sessionId: string) {
    this.#tabs = tabs
    this.#targetId = targetId
    this.#sessionId = sessionId
  }

  send(method: string, params: object = {}): Promise<unknown> {
    return this.#tabs.send(method, params, this.#sessionId)
  }

  /** The value of an expression; a promise's, when it has settled. */
  async get<T = unknown>(expression: string): Promise<T> {
    const vain = Promise.withResolvers<never>()
    const timer = setTimeout(() => vain.reject(new Error(`Waited in vain for ${expression}`)), FOREVER)
    try {
      const evaluated = this.send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      }) as Promise<{
        result: { value: T }
        exceptionDetails?: { text: string; exception?: { description?: string } }
      }>
      const { result, exceptionDetails } = await Promise.race([evaluated, vain.promise])
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result.value
    } finally {
      clearTimeout(timer)
    }
  }

  /** Resolves when the expression holds, of whatever page is there by then. */
  async until(expression: string): Promise<void> {
    const look = `new Promise((resolve) => {
      const end = performance.now() + 1000
      const look = () => {
        const holds = Boolean(${expression})
        if (holds || performance.now() > end) resolve(holds)
        else setTimeout(look, 20)
      }
      look()
    })`
    const end = performance.now() + FOREVER
    while (performance.now() < end) {
      // In between there may be no page that could answer.
      if (await this.get<boolean>(look).catch(() => false)) return
    }
    throw new Error(`Waited in vain for ${expression}`)
  }

  /** Resolves when the page there has loaded. */
  async go(url: string): Promise<void> {
    await this.send('Page.navigate', { url })
    await this.#loaded(`location.href === ${JSON.stringify(new URL(url).href)}`)
  }

  /** Loads the page again. */
  async reload(): Promise<void> {
    await this.get('void (globalThis.isOld = true)')
    await this.send('Page.reload')
    await this.#loaded('!globalThis.isOld')
  }

  /** To the page before this one in the tab's history. */
  async back(): Promise<void> {
    const from = await this.get<string>('location.href')
    await this.get('void history.back()')
    await this.#loaded(`location.href !== ${JSON.stringify(from)}`)
  }

  toFront(): Promise<unknown> {
    return this.#tabs.send('Target.activateTarget', { targetId: this.#targetId })
  }

  close(): Promise<unknown> {
    return this.#tabs.send('Target.closeTarget', { targetId: this.#targetId })
  }

  #loaded(condition: string): Promise<void> {
    return this.until(`${condition} && document.readyState === 'complete'`)
  }
}
