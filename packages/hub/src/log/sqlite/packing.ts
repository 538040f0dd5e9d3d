/**
 * Groups as they cross between threads. Copying many small objects costs more than what they hold (measured: with 64 publishers a
 * third of the time of a commit), so what most requests and results have goes in columns, and only the rest as objects. Pure.
 */
import type { Position } from '../log.ts'
import type { AppendRequest, AppendResult, WriteRequest, WriteResult } from './messages.ts'

/** The events of all appends one after another; `counts` says whose they are. */
export interface PackedRequests {
  /** Events of each append; -1 where `others` has the request. */
  readonly counts: readonly number[]
  readonly channels: readonly string[]
  /** Absent when no event has one. */
  readonly types?: readonly (string | undefined)[]
  readonly data: readonly string[]
  /** In order. */
  readonly others: readonly WriteRequest[]
}

export interface PackedResults {
  readonly epoch: string
  /** The first position of each append; -1 where `others` has the result. */
  readonly firsts: readonly Position[]
  readonly counts: readonly number[]
  readonly previous: readonly Position[]
  readonly others: readonly WriteResult[]
}

export function packRequests(requests: readonly WriteRequest[]): PackedRequests {
  const counts: number[] = []
  const channels: string[] = []
  const types: (string | undefined)[] = []
  const data: string[] = []
  const others: WriteRequest[] = []
  let typed = false
  for (const request of requests) {
    if (!isPlain(request)) {
      counts.push(-1)
      others.push(request)
      continue
    }
    counts.push(request.channels.length)
    for (const [index, channel] of request.channels.entries()) {
      const type = request.types[index]
      if (type !== undefined) typed = true
      channels.push(channel)
      types.push(type)
      data.push(request.data[index] as string)
    }
  }
  return { counts, channels, ...(typed && { types }), data, others }
}

export function unpackRequests({ counts, channels, types, data, others }: PackedRequests): WriteRequest[] {
  let at = 0
  let other = 0
  return counts.map((count): WriteRequest => {
    if (count < 0) return others[other++] as WriteRequest
    const from = at
    at += count
    return {
      kind: 'append',
      channels: channels.slice(from, at),
      types: types?.slice(from, at) ?? [],
      data: data.slice(from, at),
      end: [],
    }
  })
}

export function packResults(results: readonly WriteResult[], epoch: string): PackedResults {
  const firsts: Position[] = []
  const counts: number[] = []
  const previous: Position[] = []
  const others: WriteResult[] = []
  for (const result of results) {
    if (!isOrdinary(result, epoch)) {
      firsts.push(-1)
      others.push(result)
      continue
    }
    firsts.push(result.first)
    counts.push(result.count)
    for (const position of result.previous) previous.push(position)
  }
  return { epoch, firsts, counts, previous, others }
}

export function unpackResults({ epoch, firsts, counts, previous, others }: PackedResults): WriteResult[] {
  let at = 0
  let ordinary = 0
  let other = 0
  return firsts.map((first): WriteResult => {
    if (first < 0) return others[other++] as WriteResult
    const count = counts[ordinary++] as number
    const from = at
    at += count
    return {
      kind: 'append',
      epoch,
      first,
      count,
      repeated: false,
      previous: previous.slice(from, at),
      ends: [],
    }
  })
}

function isPlain(request: WriteRequest): request is AppendRequest {
  return request.kind === 'append' && request.end.length === 0 && request.idempotency === undefined
}

function isOrdinary(result: WriteResult, epoch: string): result is AppendResult {
  return result.kind === 'append' && !result.repeated && result.ends.length === 0 && result.epoch === epoch
}
