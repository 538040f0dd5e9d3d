/** A document for React in Node. To be imported before React, which looks for one when it is loaded. */
import type { TestContext } from 'node:test'
import { Window } from 'happy-dom'

const window = new Window({ url: 'http://localhost/' })
// What React asks for. `fetch`, timers and streams stay Node's own: it is the hub's stream that is tested, not the document.
Object.assign(globalThis, { window, document: window.document })

export interface Screen {
  readonly element: HTMLElement
  readonly text: () => string
  /** Resolves as soon as it holds: it is looked at after each change. */
  readonly until: (holds: (text: string) => boolean) => Promise<void>
}

/** An element of its own for each test. */
export function createScreen(t: TestContext, html = ''): Screen {
  const element = window.document.createElement('main')
  element.innerHTML = html
  window.document.body.append(element)
  t.after(() => element.remove())
  const text = (): string => element.textContent ?? ''
  return {
    element: element as unknown as HTMLElement,
    text,
    until: (holds) =>
      new Promise((resolve) => {
        const observer = new window.MutationObserver(look)
        observer.observe(element, { childList: true, subtree: true, characterData: true, attributes: true })
        function look(): void {
          if (!holds(text())) return
          observer.disconnect()
          resolve()
        }
        look()
      }),
  }
}
