/** What goes between the log and its two workers. All of it can be cloned. */
import type { ChannelInfo, From, Limit, LogErrorCode, Position } from '../log.ts'
import type { RetentionRule } from '../retention.ts'
import type { Trial } from './condition.ts'
import type { PackedPage } from './page-packing.ts'
import type { PackedRequests, PackedResults } from './packing.ts'

export interface AppendRequest {
  readonly kind: 'append'
  readonly channels: readonly string[]
  readonly types: readonly (string | undefined)[]
  readonly data: readonly string[]
  readonly end: readonly string[]
  readonly idempotency?: { readonly key: string; readonly fingerprint: string }
}

export interface DropRequest {
  readonly kind: 'drop'
  readonly channel: string
}

export type WriteRequest = AppendRequest | DropRequest

export interface AppendResult {
  readonly kind: 'append'
  readonly epoch: string
  /** The position of the first event; the others follow one by one. */
  readonly first: Position
  readonly count: number
  readonly repeated: boolean
  /** Of each event: the position of its channel's event before it. */
  readonly previous: readonly Position[]
  readonly ends: readonly { readonly channel: string; readonly position: Position }[]
}

export interface DropResult {
  readonly kind: 'drop'
  readonly known: boolean
  /** The position of the mark; absent when there was nothing to erase. */
  readonly position?: Position
}

export interface FailedResult {
  readonly kind: 'failed'
  readonly code: LogErrorCode
  readonly message: string
  readonly channel?: string
}

export type WriteResult = AppendResult | DropResult | FailedResult

/** One transaction. */
export interface GroupResult {
  readonly results: readonly WriteResult[]
  /** The time of the events of this group. */
  readonly time: number
  readonly frontier: Position
  /** When something will be too old, or a channel to be forgotten: not before this time. */
  readonly due: number
  /** How often something was lost so far. */
  readonly losses: number
  /** The connection was opened anew: there may be records that were never acknowledged. */
  readonly reopened: boolean
}

export type PackedGroupResult = Omit<GroupResult, 'results'> & { readonly results: PackedResults }

export interface SweepResult {
  /** Whether there is more to sweep at once. */
  readonly more: boolean
  readonly due: number
  /** How often something was lost so far. */
  readonly losses: number
}

export interface WriterOptions {
  readonly path: string
  readonly durability: 'fsync' | 'os'
  readonly retention: readonly RetentionRule[]
  readonly forget: number
  /** Infinity for no limit. */
  readonly fullBytes: number
  readonly epoch: string
  /** The rules are not those of the last time. */
  readonly recheck: boolean
}

export interface ReadSet {
  readonly names: readonly string[]
  readonly patterns: readonly string[]
}

export interface ReadRequest {
  readonly set: ReadSet
  readonly from: From
  readonly limit: Limit
}

export interface ListRequest {
  readonly set: ReadSet
  readonly after: string
  readonly limit: number
}

export type WriterCalls = {
  write(call: { readonly requests: PackedRequests; readonly now: number }): PackedGroupResult
  sweep(now: number): SweepResult
  probe(trial: Trial): void
  close(call: undefined): void
}

export type ReaderCalls = {
  read(request: ReadRequest): PackedPage
  list(request: ListRequest): readonly ChannelInfo[]
  probe(call: undefined): void
  close(call: undefined): void
}
