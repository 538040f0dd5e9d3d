/** The life of a page as a subscription sees it. There is no `unload`: a page that listens to it is not kept by the back/forward cache. */

export type LifecycleEvent =
  | 'online'
  | 'visible'
  | 'hidden'
  /** Left or frozen: what is open now keeps the page out of the back/forward cache, or dies unseen. */
  | 'away'
  /** Shown again, from that cache or not, or thawed. */
  | 'back'

type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>

export function watchLifecycle(tell: (event: LifecycleEvent) => void): () => void {
  const world = globalThis as Partial<typeof globalThis>
  const { document } = world
  const stops: (() => void)[] = []
  const listen = (target: Partial<Target> | undefined, type: string, told: () => LifecycleEvent): void => {
    // Node has neither window nor document, and workers no document.
    if (!target?.addEventListener) return
    const listener = (): void => tell(told())
    target.addEventListener(type, listener)
    stops.push(() => target.removeEventListener?.(type, listener))
  }
  listen(world, 'online', () => 'online')
  listen(document && world, 'pagehide', () => 'away')
  listen(document && world, 'pageshow', () => 'back')
  listen(document, 'freeze', () => 'away')
  listen(document, 'resume', () => 'back')
  listen(document, 'visibilitychange', () => (document?.visibilityState === 'hidden' ? 'hidden' : 'visible'))
  return () => {
    for (const stop of stops) stop()
  }
}
