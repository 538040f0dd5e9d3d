/** Groups and pages are the same on both sides of a thread. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LogEvent, LogPage } from '../src/log/log.ts'
import type { AppendRequest, AppendResult, WriteRequest, WriteResult } from '../src/log/sqlite/messages.ts'
import { packPage, unpackPage } from '../src/log/sqlite/page-packing.ts'
import { packRequests, packResults, unpackRequests, unpackResults } from '../src/log/sqlite/packing.ts'

const event = fc.record({
  channel: fc.string(),
  type: fc.option(fc.string(), { nil: undefined }),
  data: fc.string(),
})
const append = fc
  .record({
    events: fc.array(event, { maxLength: 4 }),
    end: fc.array(fc.string(), { maxLength: 1 }),
    key: fc.option(fc.string(), { nil: undefined }),
  })
  .map(({ events, end, key }): AppendRequest => {
    return {
      kind: 'append',
      channels: events.map(({ channel }) => channel),
      types: events.map(({ type }) => type),
      data: events.map(({ data }) => data),
      end,
      ...(key !== undefined && { idempotency: { key, fingerprint: key } }),
    }
  })
const request: fc.Arbitrary<WriteRequest> = fc.oneof(
  { weight: 4, arbitrary: append },
  {
    weight: 1,
    arbitrary: fc.record(
      { kind: fc.constant('drop' as const), channel: fc.string() },
      { noNullPrototype: true },
    ),
  },
)

const appended = fc
  .record({
    epoch: fc.constantFrom('E1', 'E2'),
    first: fc.nat(),
    previous: fc.array(fc.nat(), { maxLength: 4 }),
    repeated: fc.boolean(),
    ends: fc.array(fc.record({ channel: fc.string(), position: fc.nat() }, { noNullPrototype: true }), {
      maxLength: 1,
    }),
  })
  .map((result): AppendResult => ({ ...result, kind: 'append', count: result.previous.length }))
const result: fc.Arbitrary<WriteResult> = fc.oneof(
  { weight: 4, arbitrary: appended },
  fc.record({ kind: fc.constant('drop' as const), known: fc.boolean() }, { noNullPrototype: true }),
  fc.record(
    {
      kind: fc.constant('failed' as const),
      code: fc.constant('log-full' as const),
      message: fc.string(),
    },
    { noNullPrototype: true },
  ),
)

/** The types of an append that has none may be left out. */
function sameEvents(one: WriteRequest): unknown {
  return one.kind === 'drop' ? one : { ...one, types: one.channels.map((_, index) => one.types[index]) }
}

test('requests are unpacked as they were packed', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 8 }), (requests) => {
      const there = unpackRequests(structuredClone(packRequests(requests)))
      assert.deepEqual(there.map(sameEvents), requests.map(sameEvents))
    }),
  )
})

test('results are unpacked as they were packed', () => {
  fc.assert(
    fc.property(fc.array(result, { maxLength: 8 }), (results) => {
      assert.deepEqual(unpackResults(structuredClone(packResults(results, 'E1'))), results)
    }),
  )
})

const page = fc
  .record({
    events: fc.array(fc.tuple(event, fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat()), { maxLength: 8 }),
    cursor: fc.maxSafeNat(),
    more: fc.boolean(),
    end: fc.option(fc.string(), { nil: undefined }),
    lost: fc.option(fc.string(), { nil: undefined }),
  })
  .map(({ events, cursor, more, end, lost }): LogPage => {
    return {
      events: events.map(([{ channel, type, data }, position, previous, time]): LogEvent => {
        return { kind: 'event', channel, position, previous, time, ...(type !== undefined && { type }), data }
      }),
      cursor,
      more,
      ends: end === undefined ? [] : [{ kind: 'end', channel: end, position: cursor }],
      ...(lost !== undefined && {
        gap: { reason: 'trimmed', channels: [lost], from: 0, to: 1, upTo: 1, loss: 1 },
      }),
    }
  })

test('pages are unpacked as they were packed', () => {
  fc.assert(
    fc.property(page, (there) => {
      assert.deepEqual(unpackPage(structuredClone(packPage(there))), there)
    }),
  )
})
