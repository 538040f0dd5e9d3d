/** What something in a page has told the test. */
import type { Page } from 'playwright-core'

/** Far beyond anything that a test waits for. */
const FOREVER = 60_000

/** Something in a page that is known there by its name, and tells what happens to it by a function `tell_` and that name. */
export class Teller<Told> {
  readonly told: Told[] = []
  readonly page: Page
  readonly name: string
  #news = Promise.withResolvers<void>()

  constructor(page: Page, name: string) {
    this.page = page
    this.name = name
  }

  /** From then on the page can tell. */
  async listen(): Promise<void> {
    await this.page.exposeFunction(`tell_${this.name}`, (told: Told) => {
      this.told.push(told)
      this.#news.resolve()
      this.#news = Promise.withResolvers()
    })
  }

  /** Resolves as soon as it holds; looked at whenever something is told. Says what was told when that takes forever. */
  async until(holds: () => boolean): Promise<void> {
    const vain = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const last = this.told.slice(-20).map((told) => JSON.stringify(told))
      vain.reject(new Error(`Waited in vain for ${String(holds)}. Told last:\n${last.join('\n')}`))
    }, FOREVER)
    try {
      while (!holds()) await Promise.race([this.#news.promise, vain.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    await this.page.evaluate(
      (name) => (globalThis as unknown as Record<string, { close(): void }>)[name]?.close(),
      this.name,
    )
  }
}
