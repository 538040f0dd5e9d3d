/** Negotiation without sockets: `Accept`, `Prefer`, and the plan of a read. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEFAULT_HUB_LIMITS } from '../src/hub-options.ts'
import { preferredWait, wantsProblem, wantsStream } from '../src/http/negotiate.ts'
import { Problem } from '../src/http/problem.ts'
import { asksForStream, readRequest } from '../src/http/read-request.ts'
import { fakeRequest } from './wire-contract/fake-request.ts'

describe('Accept', () => {
  const cases: readonly [string | undefined, boolean | undefined][] = [
    [undefined, false],
    ['', false],
    [' ', false],
    [' , ,', false],
    ['text/event-stream', true],
    ['Text/Event-Stream ; q=0.1', true],
    ['text/event-stream;q=0', undefined],
    ['text/event-stream;q=0, */*', false],
    ['*/*', false],
    ['text/*', undefined],
    ['text/*, application/json;q=0.1', false],
    ['application/json', false],
    ['application/json;q=0', undefined],
    ['application/json;q=0, */*', undefined],
    ['text/event-stream, */*', true],
    ['text/event-stream;q=0.9, */*', false],
    ['text/event-stream;q=0.9, */*;q=0.8', true],
    ['text/event-stream;q=0.9, application/*;q=0.9', true],
    // Of JSON the most specific range decides, though a wider one is wanted more.
    ['text/event-stream;q=0.5, */*, application/json;q=0.4', true],
    ['text/event-stream;charset=utf-8', true],
    ['text/event-stream;q=0.2, text/event-stream;q=0.9, application/json;q=0.5', true],
    ['text/event-stream;q=nonsense', undefined],
    ['text/event-stream;q=2, application/json', false],
    ['text/html', undefined],
    [',,text/event-stream,,', true],
  ]
  for (const [accept, expected] of cases) {
    test(`P3.3.2 ${accept ?? 'no Accept'} is ${expected === undefined ? 'neither form' : expected ? 'a stream' : 'a page'}`, () => {
      assert.equal(wantsStream(accept), expected)
    })
  }

  test('P14.2.2 a problem is understood only by who names it', () => {
    assert.equal(wantsProblem('text/event-stream, application/problem+json'), true)
    assert.equal(wantsProblem('application/problem+json;q=0'), false)
    assert.equal(wantsProblem('text/event-stream, */*'), false)
    assert.equal(wantsProblem('application/*'), false)
    assert.equal(wantsProblem(undefined), false)
  })
})

describe('Prefer', () => {
  const cases: readonly [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ['wait=10', 10],
    ['WAIT = 10', 10],
    ['wait="10"', 10],
    ['respond-async, wait=10', 10],
    ['wait=10; foo, bar', 10],
    ['wait=5, wait=10', 5],
    ['wait=-1', undefined],
    ['wait=1.5', undefined],
    ['wait', undefined],
    ['await=5', undefined],
    ['wait=10x', undefined],
    ['wait=9999999999', undefined],
  ]
  for (const [prefer, expected] of cases)
    test(`P5.1.1 ${prefer ?? 'no Prefer'} is ${expected ?? 'nothing'}`, () =>
      assert.equal(preferredWait(prefer), expected))
})

describe('the plan of a read', () => {
  const plan = (query: string, headers: Record<string, string> = {}): ReturnType<typeof readRequest> =>
    readRequest(fakeRequest(query, headers), DEFAULT_HUB_LIMITS)

  test('P3.2.5 P3.4.1 the defaults', () => {
    assert.deepEqual(plan(''), {
      transport: 'poll',
      origin: { last: 100 },
      limit: 100,
      wait: 30,
      cut: false,
      preferred: false,
      variant: { channel: false, time: false, eventByChannel: false },
      cacheable: false,
      key: '[{"last":100},100,false]',
    })
    assert.deepEqual(plan('transport=long-poll').origin, { after: 'now' })
    assert.deepEqual(plan('transport=sse').origin, { after: 'now' })
    assert.deepEqual(plan('limit=7').origin, { last: 7 })
  })

  test('P5.1.1 P5.1.4 the wait and who decided it', () => {
    const wait = (query: string, prefer?: string): readonly unknown[] => {
      const { transport, wait, preferred } = plan(query, prefer === undefined ? {} : { prefer })
      return [transport, wait, preferred]
    }
    assert.deepEqual(wait('wait=7'), ['long-poll', 7, false])
    assert.deepEqual(wait('wait=61'), ['long-poll', 60, false])
    assert.deepEqual(wait('wait=999999999999999'), ['long-poll', 60, false])
    assert.deepEqual(wait('', 'wait=61'), ['long-poll', 60, true])
    assert.deepEqual(wait('wait=7', 'wait=8'), ['long-poll', 7, false])
    assert.deepEqual(wait('transport=long-poll', 'wait=8'), ['long-poll', 8, true])
  })

  test('P3.2.1 the first present start decides', () => {
    const cursor = { epoch: 'e', position: 7 }
    const id = { 'last-event-id': 'whatever it is' }
    assert.deepEqual(plan('after=e-7&last=3', id).origin, { lastEventId: 'whatever it is' })
    assert.deepEqual(plan('after=e-7&last=3').origin, { after: cursor })
    assert.deepEqual(plan('last=3').origin, { last: 3 })
    assert.deepEqual(plan('after=e-7', { 'last-event-id': '' }).origin, { after: cursor })
  })

  test('P15.3.2 what stands in the URL alone may be cached', () => {
    assert.equal(plan('transport=poll&after=e-1&limit=5').cacheable, true)
    for (const query of [
      'after=e-1&limit=5',
      'transport=poll&limit=5',
      'transport=poll&after=e-1',
      'transport=poll&after=now&limit=5',
    ])
      assert.equal(plan(query).cacheable, false, query)
    assert.equal(plan('transport=poll&after=e-1&limit=5', { 'last-event-id': 'e-2' }).cacheable, false)
  })

  test('P6.3.2 P6.3.3 the variant', () => {
    assert.deepEqual(plan('fields=time,channel&event=channel').variant, {
      channel: true,
      time: true,
      eventByChannel: true,
    })
    assert.deepEqual(plan('fields=time').variant, { channel: false, time: true, eventByChannel: false })
  })

  test('P14.2.1 whether a refusal should be a stream is told without judging the request', () => {
    const asks = (query: string, accept: string, method = 'GET'): boolean =>
      asksForStream(fakeRequest(query, { accept }, method))
    assert.equal(asks('', 'text/event-stream'), true)
    assert.equal(asks('transport=sse', 'text/html'), true)
    assert.equal(asks('transport=poll', 'text/event-stream'), false)
    assert.equal(asks('', 'application/json'), false)
    assert.equal(asks('limit=garbage', 'text/event-stream'), true)
    assert.equal(asks('', 'text/event-stream', 'POST'), false)
  })

  test('P3.3.3 an Accept that covers neither is a problem, unless transport decides', () => {
    assert.throws(() => plan('', { accept: 'image/png' }), Problem)
    assert.equal(plan('transport=poll', { accept: 'image/png' }).transport, 'poll')
  })
})
