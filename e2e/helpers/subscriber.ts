/** A `subscribe()` in a real page, and all that it told, seen from the test. */
import { fileURLToPath } from 'node:url'
import type { ConnectionState, SubscribeError, SubscribeOptions, Subscription } from '@downlink/client'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { Teller } from './told.ts'

/** What a page can be given: no functions. */
export type PageOptions = Omit<SubscribeOptions, 'fetch' | 'signal' | 'headers' | 'parse' | 'resume'> & {
  readonly resume?: 'reload' | 'restart'
}

export type Told = { readonly at: number } & (
  | { readonly kind: 'event'; readonly id: string; readonly data: string }
  | { readonly kind: 'gap'; readonly reason: string }
  | { readonly kind: 'state'; readonly state: ConnectionState }
  | { readonly kind: 'error'; readonly message: string }
)

let script: Promise<string> | undefined

/** As a page loads it, of all that ES2020 has. */
export function bundled(contents: string): Promise<string> {
  return build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2020',
    conditions: ['@downlink/source'],
    tsconfigRaw: { compilerOptions: { target: 'es2020', useDefineForClassFields: false } },
    logLevel: 'silent',
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '')
}

let subscribers = 0

/** Begins one in the page, and returns as soon as it was constructed. */
export async function subscribeIn(page: Page, url: string, options: PageOptions = {}): Promise<Subscriber> {
  script ??= bundled(
    `import { subscribe } from '@downlink/client'
     globalThis.subscribe = subscribe`,
  )
  await page.addScriptTag({ content: await script })
  const name = `subscriber${++subscribers}`
  const subscriber = new Subscriber(page, name)
  await subscriber.listen()
  await page.evaluate(beginInPage, { name, url, options })
  return subscriber
}

interface InPage {
  readonly name: string
  readonly url: string
  readonly options: object
}

interface World {
  readonly subscribe: (url: string, options: object) => Subscription
  [name: string]: unknown
}

/** Runs in the page. */
function beginInPage({ name, url, options }: InPage): void {
  const world = globalThis as unknown as World
  const tell = (told: object): void => {
    ;(world[`tell_${name}`] as (told: object) => void)({ ...told, at: Date.now() })
  }
  const updates = world.subscribe(url, options)
  world[name] = updates
  tell({ kind: 'state', state: updates.state })
  updates.on('state', (state) => tell({ kind: 'state', state: { ...state, error: undefined } }))
  updates.on('gap', ({ reason }) => tell({ kind: 'gap', reason }))
  updates.on('error', ({ message }: SubscribeError) => tell({ kind: 'error', message }))
  updates.on('event', ({ id, data }) => tell({ kind: 'event', id, data }))
}

export class Subscriber extends Teller<Told> {
  get events(): readonly Extract<Told, { kind: 'event' }>[] {
    return this.told.filter((told) => told.kind === 'event')
  }

  /** The data of all events, in the order in which they came. */
  get data(): readonly string[] {
    return this.events.map(({ data }) => data)
  }

  get states(): readonly ConnectionState[] {
    return this.told.flatMap((told) => (told.kind === 'state' ? [told.state] : []))
  }

  get state(): ConnectionState | undefined {
    return this.states.at(-1)
  }

  /** From its construction to its first event. */
  get firstAfterMs(): number {
    return (this.events[0]?.at ?? NaN) - (this.told[0]?.at ?? NaN)
  }

  /** What it holds as handled. */
  cursor(): Promise<string | undefined> {
    return this.page.evaluate(
      (name) => (globalThis as unknown as Record<string, Subscription>)[name]?.cursor,
      this.name,
    )
  }
}
