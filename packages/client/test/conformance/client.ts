/** Runs the cases that the server hands out, in the runtime under test, and reports each. */
import { show } from './assert.ts'
import type { Case, EventSourceClass, Kit, Tag } from './case.ts'
import type { Log } from './script.ts'
import { Watch } from './watch.ts'

export interface Report {
  readonly index: number
  /** Undefined when the case holds. */
  readonly failure?: string
  readonly milliseconds: number
}

export interface ClientOptions {
  readonly EventSource: EventSourceClass
  readonly cases: readonly Case[]
  readonly tags: readonly Tag[]
  readonly origin: string
  readonly otherOrigin: string
  /** How many cases run at a time. */
  readonly lanes: number
}

const TIMEOUT = 30_000
/** Of cases that are known to fail, most often by waiting for something in vain. */
const TIMEOUT_OF_DEVIATION = 2500

const expected = new Set<string>()
const { fetch } = globalThis

/** Resolves when the server has no more cases. */
export async function serveCases(options: ClientOptions): Promise<void> {
  const report = async (text: Report): Promise<void> => {
    await fetch(`${options.origin}/control/0/report`, { method: 'POST', body: JSON.stringify(text) })
  }
  const running = new Set<string>()
  watchUncaught((error) => {
    const failure = `${describe(error)}\nwhile these ran: ${[...running].join(', ')}`
    void report({ index: -1, failure, milliseconds: 0 })
  })
  const lane = async (name: string): Promise<void> => {
    for (;;) {
      const answer = await fetch(`${options.origin}/control/0/next?${name}`)
      const index = (await answer.json()) as number
      const one = options.cases[index]
      if (!one) return
      const start = performance.now()
      running.add(one.name)
      const failure = await runCase(one, index, options)
      running.delete(one.name)
      await report({
        index,
        ...(failure && { failure }),
        milliseconds: Math.round(performance.now() - start),
      })
    }
  }
  await Promise.all(Array.from({ length: options.lanes }, () => lane('together')))
  await lane('alone')
}

async function runCase(one: Case, index: number, options: ClientOptions): Promise<string | undefined> {
  const sources: EventSource[] = []
  const deviates = options.tags.some((tag) => one.deviates?.[tag] !== undefined)
  const limit = deviates ? TIMEOUT_OF_DEVIATION : TIMEOUT
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const notes = watches.map(({ notes }) => show(notes.slice(-20)))
        reject(new Error(`nothing more happened for long; told: ${notes.join(' and ')}`))
      }, limit)
    })
    const watches: Watch[] = []
    const kit = kitOf(index, options, sources, watches)
    await Promise.race([Promise.resolve(one.run(kit)), late])
    return undefined
  } catch (error) {
    return describe(error)
  } finally {
    clearTimeout(timer)
    for (const source of sources) source.close()
  }
}

function kitOf(index: number, options: ClientOptions, sources: EventSource[], watches: Watch[]): Kit {
  const { EventSource, origin, otherOrigin, tags } = options
  const control = async <T>(action: string): Promise<T> =>
    (await (await fetch(`${origin}/control/${index}/${action}`)).json()) as T
  const kit: Kit = {
    EventSource,
    tags,
    origin,
    otherOrigin,
    url: (path = 'stream') => `${origin}/c/${index}/${path}`,
    otherUrl: (path = 'stream') => `${otherOrigin}/c/${index}/${path}`,
    open(url = kit.url(), init) {
      const source = init === undefined ? new EventSource(url) : new EventSource(url, init)
      sources.push(source)
      return source
    },
    watch: (url, ...types) => kit.watchOf(kit.open(url), ...types),
    watchOf(source, ...types) {
      const watch = new Watch(source, types)
      watches.push(watch)
      return watch
    },
    async go(name) {
      await control(`go?${name}`)
    },
    log: (atLeast = {}) =>
      control<Log>(
        `log?${new URLSearchParams(Object.entries(atLeast).map(([key, count]) => [key, String(count)])).toString()}`,
      ),
    control,
    quiet: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    expectUncaught: (message) => void expected.add(message),
  }
  return kit
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return show(error)
  return `${error.name}: ${error.message}\n${error.stack ?? ''}`
}

interface ProcessLike {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): void
}

/** Errors that nobody catches fail the run, except those that a case has made on purpose. */
function watchUncaught(report: (error: unknown) => void): void {
  const unexpected = (error: unknown): boolean => {
    if (error instanceof Error && expected.has(error.message)) return false
    report(error)
    return true
  }
  const { process, Deno } = globalThis as { process?: ProcessLike; Deno?: unknown }
  if (process !== undefined && Deno === undefined) {
    process.on('uncaughtException', unexpected)
    process.on('unhandledRejection', unexpected)
    return
  }
  globalThis.addEventListener('error', (event) => {
    event.preventDefault()
    unexpected(event.error)
  })
  globalThis.addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    unexpected(event.reason)
  })
}
