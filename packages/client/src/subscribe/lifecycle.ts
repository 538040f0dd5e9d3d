/** The life of a page as a subscription sees it. There is no `unload`: a page that listens to it is not kept by the back/forward cache. */

export type LifecycleEvent =
  | 'online'
  | 'visible'
  | 'hidden'
  /** Left or frozen: what is open now keeps the page out of the back/forward cache, or dies unseen. */
  | 'away'
  /** Shown again, from that cache or not, or thawed. */
  | 'back'

const MEANINGS: Readonly<Record<string, LifecycleEvent | undefined>> = {
  online: 'online',
  pagehide: 'away',
  freeze: 'away',
  pageshow: 'back',
  resume: 'back',
  // The document says which.
  visibilitychange: undefined,
}

export function watchLifecycle(tell: (event: LifecycleEvent) => void): () => void {
  // Node has neither, and workers no document.
  const world = globalThis as Partial<typeof globalThis>
  const { document } = world
  const listener = ({ type }: Event): void =>
    tell(MEANINGS[type] ?? (document?.visibilityState as LifecycleEvent))
  const each = (method: 'addEventListener' | 'removeEventListener'): void => {
    // Those of the document pass here, too: on their way down to it. workerd refuses to hear of it.
    for (const type of Object.keys(MEANINGS)) world[method]?.(type, listener, !!document)
  }
  each('addEventListener')
  if (document?.visibilityState === 'hidden') tell('hidden')
  return () => each('removeEventListener')
}
