/** What the crowd is told and what it tells: the messages between the hub's thread and the crowd's. */
import type { Bytes, Delays, LabSettings, Technique } from '../report.ts'

/** What is counted at sockets, of one technique: the clients' own, or the hub's. */
export interface Counts {
  readonly requests: number
  readonly empty: number
  readonly refused: number
  readonly connections: number
  readonly mostConnections: number
  /** From clients to the hub, and back. */
  readonly bytesIn: Bytes
  readonly bytesOut: Bytes
}

export const NO_COUNTS: Counts = {
  requests: 0,
  empty: 0,
  refused: 0,
  connections: 0,
  mostConnections: 0,
  bytesIn: { head: 0, body: 0 },
  bytesOut: { head: 0, body: 0 },
}

/** Where the crowd connects to. */
export interface Target {
  readonly host: string
  readonly port: number
  /** `own`: TLS to this very process, whose certificate is for another name. */
  readonly tls: 'none' | 'checked' | 'own'
  /** What stands in `Host`, and whom a certificate is to be for. */
  readonly authority: string
  /** Where the hub is mounted; `''` at the root. */
  readonly mount: string
}

export interface Plan {
  readonly target: Target
  readonly channel: string
  /** Where all clients begin. */
  readonly cursor: string
  /** As a browser would send them with each request. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly clients: Readonly<Partial<Record<Technique, number>>>
  /** Milliseconds. */
  readonly pollEvery: number
  /** Events that the hub has acknowledged: `Int32Array` of one. */
  readonly published: SharedArrayBuffer
  /** Of the clock that events are stamped with. */
  readonly clockOrigin: number
  readonly seed: number
}

/** Who asks for nothing new from now on. `all`: what polls have asked for is answered first. */
export type Quiet = 'none' | 'polls' | 'all'

export type CrowdCall =
  /** Puts a network between crowds and the hub, until the thread ends. */
  | {
      readonly do: 'network'
      readonly network: LabSettings['network']
      readonly target: Target
      readonly seed: number
    }
  | { readonly do: 'start'; readonly plan: Plan }
  /** @property due Events that a client which holds a connection should have had by now. */
  | { readonly do: 'report'; readonly due: number; readonly quiet: Quiet }
  | { readonly do: 'stop' }

export interface MemberReport {
  readonly clients: number
  readonly received: number
  readonly missed: number
  readonly twice: number
  readonly delays: Delays
  readonly counts: Counts
}

export interface CrowdReport {
  readonly techniques: Readonly<Partial<Record<Technique, MemberReport>>>
  /** How much later than asked for the crowd's event loop came round at the most since the last report, in milliseconds. */
  readonly late: number
  /** Events that those which hold a connection have all had. */
  readonly had: number
}

export type CrowdAnswer =
  /** On 127.0.0.1, without TLS. */
  | { readonly of: 'network'; readonly port: number }
  | { readonly of: 'start' | 'stop' }
  | { readonly of: 'report'; readonly report: CrowdReport }
  | { readonly of: 'failure'; readonly message: string }
