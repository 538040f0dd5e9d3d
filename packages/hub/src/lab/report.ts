/**
 * What is asked of the Lab and what it tells: the words that the hub, the console and `downlink lab` share. Pure: a browser can
 * import it. Bodies of `POST /lab`, events of `$hub.lab`.
 */

/** In the order in which they are shown. */
export const TECHNIQUES = ['poll', 'long-poll', 'sse', 'websocket'] as const
export type Technique = (typeof TECHNIQUES)[number]

export interface LabSettings {
  /** `POST /lab` checks all bounds and names what is out of them. */
  readonly techniques: readonly Technique[]
  readonly events: {
    /** Events a second, from one a minute to 100: 0.0166 to 100. */
    readonly rate: number
    /** `bursts`: ten at once, then a pause, at the same mean rate. `poisson`: at random, independent of each other. */
    readonly shape: 'steady' | 'bursts' | 'poisson'
    /** Bytes of an event's data: 64 to 65,536. */
    readonly size: number
  }
  /** Clients of each technique in the crowd: 0 to 500. Those of the page come on top. */
  readonly clients: number
  /** How often a poller asks, in milliseconds: 100 to 600,000. */
  readonly pollEvery: number
  readonly network: {
    /** Milliseconds that are added in each direction: 0 to 5,000. */
    readonly delay: number
    /** A proxy in between that hands on nothing before an answer has ended, or 64 KiB of it are there. */
    readonly buffering: boolean
    /** Every connection is cut after about so many milliseconds: 500 to 600,000; 0 for never. */
    readonly cutAfter: number
  }
  /** How long it runs, in seconds: 2 to 300; the turns that measure CPU come after it. */
  readonly seconds: number
  /** Whether to measure CPU, by turns, when the events are over: about two seconds for each technique more. */
  readonly cpu: boolean
}

/** An event's data is the JSON of this, padded to the size that was asked for. */
export interface LabEvent {
  /** 0, 1, 2 … within a run. */
  readonly n: number
  /** When it was published, by the hub's clock, in milliseconds since 1970, with a fraction. */
  readonly t: number
  readonly pad: string
}

export interface Bytes {
  /** Request lines and headers one way, status lines and headers the other. */
  readonly head: number
  /** All the rest: bodies with their chunk lengths, frames of a WebSocket. */
  readonly body: number
}

/** Counts of delays by size: `counts[i]` of those up to `DELAY_BOUNDS[i]` ms, one more for the rest. */
export const DELAY_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000] as const

export interface Delays {
  readonly count: number
  readonly counts: readonly number[]
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What was measured of one technique, from the start of the run: crowd and page together, if not said otherwise. */
export interface TechniqueReport {
  /** At the hub's sockets. */
  readonly requests: number
  /** Answers without an event: pages, 304, streams that ended with none. */
  readonly empty: number
  /** Answers of 400 and above, and refusals for the time being. */
  readonly refused: number
  /**
   * Of the requests those that came over HTTP/2, of which only bodies are counted: heads are packed with what both sides remember of those
   * before them. Absent when there were none.
   */
  readonly overHttp2?: number
  /** Connections, now, and at the most. One of HTTP/1 counts where it was last used. */
  readonly connections: number
  readonly mostConnections: number
  /** From clients to the hub, and back. */
  readonly bytesIn: Bytes
  readonly bytesOut: Bytes
  /** At the clients of the crowd. */
  readonly crowd: {
    readonly clients: number
    readonly received: number
    /** Events that a client should have had by now and had not, and those it had twice. */
    readonly missed: number
    readonly twice: number
    readonly delays: Delays
  }
  /**
   * CPU time of the hub's thread, measured by turns: each technique alone, with the same events and crowd, less what the same events
   * cost with nobody reading. Absent until it has been measured, or when there is no crowd.
   */
  readonly cpu?: {
    /** Microseconds for an event to reach one client, polls that bring nothing included. */
    readonly perDelivery: number
    /** What `perDelivery` may be off by, as the parts of the turn differ: a figure below it is too small to be told. */
    readonly plusMinus: number
    /** Milliseconds of CPU a second, for the whole crowd. */
    readonly perSecond: number
  }
}

export interface LabReport {
  readonly id: string
  /** Where the events are: `lab.{id}`. */
  readonly channel: string
  readonly state: 'running' | 'measuring-cpu' | 'done' | 'stopped' | 'failed'
  /** Why it failed. */
  readonly reason?: string
  readonly settings: LabSettings
  /** Milliseconds since 1970 by the hub's clock, and how long it has run. */
  readonly started: number
  readonly elapsed: number
  readonly published: number
  /**
   * Events that went out later than they were due, and how far the crowd was behind, in milliseconds: at the most in the last second; at
   * the end the median of the seconds.
   */
  readonly late: { readonly events: number; readonly crowd: number }
  readonly techniques: Readonly<Partial<Record<Technique, TechniqueReport>>>
}
