/** A chapter of the guide as the build makes it of its Markdown (`build/chapter.ts`), and the page shows it. */

export interface Heading {
  /** The same in each language. */
  readonly id: string
  readonly html: string
}

export interface Setup {
  readonly channel: string
  readonly data: string
  readonly type?: string
}

export const PANELS = ['bytes', 'parser', 'ways'] as const
/** `bytes`: what comes over the wire; `parser`: a stream to type; `ways`: the three transports side by side. */
export type PanelName = (typeof PANELS)[number]

export type Part =
  | { readonly kind: 'html'; readonly html: string }
  | { readonly kind: 'code'; readonly language: string; readonly html: string }
  /** A script that runs on the page. */
  | {
      readonly kind: 'run'
      readonly html: string
      /** Which of the chapter's. */
      readonly run: number
      /** How many EventSources and WebSockets it makes. */
      readonly sources: number
      /** What the guide says that it prints. */
      readonly output: string
      /** What the commands above it have published. */
      readonly setup: readonly Setup[]
    }
  | { readonly kind: 'panel'; readonly name: PanelName }

export interface Chapter {
  /** E.g. `03-event-source`. */
  readonly slug: string
  readonly title: string
  readonly parts: readonly Part[]
}

/** What a script of the guide takes for granted. */
export interface Stage {
  readonly EventSource: typeof EventSource
  readonly WebSocket: typeof WebSocket
  readonly fetch: typeof fetch
  readonly location: { readonly href: string; reload(): void }
  print(...words: readonly unknown[]): void
  publish(channel: string, data: string, type?: string): Promise<void>
  disconnect(channel: string): Promise<void>
}

export type Script = (stage: Stage) => Promise<void>
