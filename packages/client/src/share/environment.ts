/** What sharing needs of the browser. */

/** The part of `BroadcastChannel` that is used. */
export interface Channel {
  onmessage: ((event: { readonly data: never }) => unknown) | null
  postMessage(message: unknown): void
  close(): void
}

/** The part of `LockManager` that is used. */
export interface Locks {
  request(name: string, options: LockOptions, run: (lock: unknown) => unknown): Promise<unknown>
}

export interface ShareEnvironment {
  /** Undefined where there are none: then nothing is shared. */
  readonly locks: Locks | undefined
  readonly open: (name: string) => Channel
  /** A name that tells texts apart without telling them. */
  readonly digest: (text: string) => Promise<string>
}

export const systemShareEnvironment: ShareEnvironment = {
  get locks() {
    // Pages without a secure context have none, and neither has Node 20; whoever has them has the rest.
    return (globalThis as Partial<typeof globalThis>).navigator?.locks as Locks | undefined
  },
  open: (name) => new BroadcastChannel(name) as Channel,
  async digest(text) {
    const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
    return `downlink:1:${new Uint8Array(bytes).join()}`
  },
}
