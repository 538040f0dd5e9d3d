/** The tabs of a simulated browser: locks and channels between them, and tabs that crash, freeze, and are left. */
import type { Channel, Locks, ShareEnvironment } from '../../src/share/environment.ts'
import { createShare } from '../../src/share/share.ts'
import type { Environment } from '../../src/subscribe/environment.ts'
import type { LifecycleEvent } from '../../src/subscribe/lifecycle.ts'
import { openSubscription } from '../../src/subscribe/subscription.ts'
import type { SubscribeOptions, Subscription } from '../../src/subscribe/types.ts'
import type { Network } from '../subscribe/network.ts'
import type { World } from '../subscribe/world.ts'

interface Held {
  readonly name: string
  readonly clientId: string
  readonly release: () => void
  readonly rob: () => void
}

interface Waiting {
  readonly name: string
  readonly tab: Tab
  readonly grant: () => void
}

export class Browser {
  readonly world: World
  readonly network: Network
  readonly tabs = new Set<Tab>()
  readonly channels = new Set<SimulatedChannel>()
  readonly held = new Set<Held>()
  waiting: Waiting[] = []
  /** How often each tab has told news, as leaders do. */
  readonly told = new Map<string, number>()
  /** Whether pages have locks and channels. */
  secure = true
  /** How often a lock was stolen. */
  thefts = 0
  #count = 0

  constructor(world: World, network: Network) {
    this.world = world
    this.network = network
  }

  open(): Tab {
    const tab = new Tab(this, `tab ${++this.#count}`)
    this.tabs.add(tab)
    return tab
  }

  /** Gives locks that are free to those who wait. */
  settle(name: string): void {
    if ([...this.held].some((held) => held.name === name)) return
    const next = this.waiting.find((waiting) => waiting.name === name)
    if (!next) return
    this.waiting = this.waiting.filter((waiting) => waiting !== next)
    next.grant()
  }
}

class SimulatedChannel implements Channel {
  onmessage: Channel['onmessage'] = null
  readonly #name: string
  readonly #tab: Tab

  constructor(tab: Tab, name: string) {
    this.#tab = tab
    this.#name = name
    // What a page that is gone was about to do never happens.
    if (!tab.gone) tab.browser.channels.add(this)
  }

  postMessage(message: unknown): void {
    const { channels } = this.#tab.browser
    if (!channels.has(this)) throw new DOMException('closed', 'InvalidStateError')
    const { told } = this.#tab.browser
    if (Object.hasOwn(message as object, 'roll'))
      told.set(this.#tab.name, (told.get(this.#tab.name) ?? 0) + 1)
    for (const other of channels) {
      if (other === this || other.#name !== this.#name) continue
      const data = structuredClone(message) as never
      other.#tab.later(1, () => {
        if (channels.has(other)) other.onmessage?.({ data })
      })
    }
  }

  close(): void {
    this.#tab.browser.channels.delete(this)
  }
}

export class Tab {
  readonly browser: Browser
  readonly name: string
  readonly env: Environment
  readonly listeners = new Set<(event: LifecycleEvent) => void>()
  readonly share: ReturnType<typeof createShare>
  frozen = false
  gone = false
  /** What has come meanwhile. */
  #backlog: (() => void)[] = []
  readonly #death = new AbortController()

  constructor(browser: Browser, name: string) {
    this.browser = browser
    this.name = name
    const { world, network } = browser
    this.env = {
      ...world.environment((url, init) => this.#fetch(network, url, init)),
      after: (ms, run) => {
        let cancelled = false
        const cancel = world.after(ms, () => {
          this.#timers.delete(stop)
          this.do(() => cancelled || run())
        })
        const stop = (): void => {
          cancelled = true
          this.#timers.delete(stop)
          cancel()
        }
        this.#timers.add(stop)
        return stop
      },
      lifecycle: (tell) => {
        this.listeners.add(tell)
        return () => this.listeners.delete(tell)
      },
    }
    this.share = createShare(this.#shareEnvironment())
  }

  subscribe(channels: string, options: SubscribeOptions = {}): Subscription {
    const url = `https://hub.test/channels/${channels}`
    return openSubscription(url, { share: this.share('user'), ...options }, this.env)
  }

  /** Runs it now, or when the tab is awake; never in one that is gone. */
  do(run: () => void): void {
    if (this.gone) return
    if (this.frozen) this.#backlog.push(run)
    else run()
  }

  later(ms: number, run: () => void): void {
    this.browser.world.after(ms, () => this.do(run))
  }

  awake(): Promise<void> {
    return new Promise((resolve) => this.do(resolve))
  }

  tell(event: LifecycleEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  /** Without a word to the page: as one whose main thread is busy. */
  freeze(): void {
    this.frozen = true
  }

  thaw(): void {
    this.frozen = false
    for (const run of this.#backlog.splice(0)) run()
  }

  /** Dies with all that it holds. */
  crash(): void {
    this.gone = true
    const { browser } = this
    browser.tabs.delete(this)
    for (const stop of this.#timers) stop()
    for (const channel of this.#channels) channel.close()
    browser.waiting = browser.waiting.filter(({ tab }) => tab !== this)
    this.#death.abort()
    for (const held of browser.held) if (held.clientId === this.name) held.release()
  }

  readonly #channels: SimulatedChannel[] = []
  readonly #timers = new Set<() => void>()

  #shareEnvironment(): ShareEnvironment {
    return {
      locks: this.browser.secure ? this.#locks() : undefined,
      open: (name) => {
        const channel = new SimulatedChannel(this, name)
        this.#channels.push(channel)
        return channel
      },
      digest: (text) => Promise.resolve(text),
    }
  }

  #locks(): Locks {
    const { browser, name: clientId } = this
    return {
      request: (name, { signal, steal, ifAvailable }, run) =>
        new Promise((resolve, reject) => {
          const fail = (): void => this.do(() => reject(new DOMException('', 'AbortError')))
          if (signal?.aborted) return fail()
          const grant = (): void => {
            const held: Held = {
              name,
              clientId,
              release() {
                browser.held.delete(held)
                browser.settle(name)
              },
              rob() {
                browser.held.delete(held)
                fail()
              },
            }
            browser.held.add(held)
            this.do(() => {
              signal?.removeEventListener('abort', abort)
              void finish(held)
            })
          }
          const finish = async (held: Held): Promise<void> => {
            const outcome = Promise.resolve(run({}))
            await outcome.catch(() => {})
            if (!browser.held.has(held)) return
            held.release()
            resolve(outcome)
          }
          const waiting: Waiting = { name, tab: this, grant }
          const abort = (): void => {
            browser.waiting = browser.waiting.filter((one) => one !== waiting)
            fail()
          }
          const taken = [...browser.held].filter((held) => held.name === name)
          if (ifAvailable && taken.length > 0) return this.do(() => resolve(run(null)))
          if (steal) {
            browser.thefts++
            for (const held of taken) held.rob()
            return grant()
          }
          signal?.addEventListener('abort', abort)
          browser.waiting.push(waiting)
          browser.settle(name)
        }),
    }
  }

  async #fetch(network: Network, url: string, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.any([init.signal as AbortSignal, this.#death.signal])
    const answer = network.fetch(url, { ...init, signal })
    await answer.catch(() => {})
    await this.awake()
    const response = await answer
    const { body, status, headers } = response
    if (!body) return response
    const reader = body.getReader()
    const gated = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const { done, value } = await reader.read()
            await this.awake()
            if (done) controller.close()
            else controller.enqueue(value)
          } catch (error) {
            await this.awake()
            controller.error(error)
          }
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
    return new Response(gated, { status, headers })
  }
}
