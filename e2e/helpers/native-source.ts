/** A native EventSource in a page, and all that it told, seen from the test. */
import type { Page } from 'playwright-core'
import { Teller } from './told.ts'

export interface Told {
  /** `open` and `error` are the source's own; everything else is a message's type. */
  readonly type: string
  /** What `readyState` was within the handler: 0 connecting, 1 open, 2 closed. */
  readonly readyState: number
  readonly data?: string
  readonly lastEventId?: string
  readonly origin?: string
}

export interface SourceOptions {
  /** Types to listen for besides the control events; `message` comes by `onmessage`. */
  readonly types?: readonly string[]
  readonly withCredentials?: boolean
}

const CONTROL_TYPES = ['downlink:open', 'downlink:gap', 'downlink:end', 'downlink:cursor']

let sources = 0

/** Opens one, and returns as soon as it was constructed. */
export async function openSource(
  page: Page,
  url: string,
  options: SourceOptions = {},
): Promise<NativeSource> {
  const name = `source${++sources}`
  const source = new NativeSource(page, name)
  await source.listen()
  await page.evaluate(openInPage, {
    name,
    url,
    withCredentials: options.withCredentials ?? false,
    types: [...CONTROL_TYPES, ...(options.types ?? [])],
  })
  return source
}

interface InPage {
  readonly name: string
  readonly url: string
  readonly withCredentials: boolean
  readonly types: readonly string[]
}

/** Runs in the page. */
function openInPage({ name, url, withCredentials, types }: InPage): void {
  const globals = globalThis as unknown as Record<string, unknown>
  const tell = globals[`tell_${name}`] as (told: Told) => void
  const source = new EventSource(url, { withCredentials })
  globals[name] = source
  const tellEvent = (event: Event): void => {
    const { data, lastEventId, origin } = event as MessageEvent<string>
    tell({ type: event.type, readyState: source.readyState, data, lastEventId, origin })
  }
  // The handler attributes are what most pages use.
  /* oxlint-disable unicorn/prefer-add-event-listener */
  source.onopen = () => tell({ type: 'open', readyState: source.readyState })
  source.onerror = () => tell({ type: 'error', readyState: source.readyState })
  source.onmessage = tellEvent
  /* oxlint-enable unicorn/prefer-add-event-listener */
  for (const type of types) source.addEventListener(type, tellEvent)
}

export class NativeSource extends Teller<Told> {
  /** What came by onmessage or a listener, without the hub's control events. */
  get messages(): readonly Told[] {
    return this.told.filter(({ type, data }) => data !== undefined && !type.startsWith('downlink:'))
  }

  of(type: string): readonly Told[] {
    return this.told.filter((told) => told.type === type)
  }

  /** Resolves with the `count`th thing told of this type; by default the first. */
  async nth(type: string, count = 1): Promise<Told> {
    await this.until(() => this.of(type).length >= count)
    return this.of(type)[count - 1] as Told
  }

  readyState(): Promise<number> {
    return this.page.evaluate(
      (name) => (globalThis as unknown as Record<string, EventSource>)[name]?.readyState ?? -1,
      this.name,
    )
  }
}
