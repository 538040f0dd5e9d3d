/** The other pure parts: the query, NDJSON, the ETag, problems, CORS. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Page, WireError } from '@downlink/wire'
import fc from 'fast-check'
import { HubError } from '../src/errors.ts'
import { corsHeaders, preflightHeaders } from '../src/http/cors.ts'
import { etagOf, matchesEtag } from '../src/http/etag.ts'
import { parseNdjson } from '../src/http/ndjson.ts'
import { Problem, problemAnswer, PROBLEMS, toProblem } from '../src/http/problem.ts'
import { Query, refuseQuery } from '../src/http/query.ts'
import { LogError } from '../src/log/log.ts'
import { fakeRequest } from './wire-contract/fake-request.ts'

const code = (code: string, members: object = {}) => {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Problem, String(error))
    assert.equal(error.code, code)
    assert.partialDeepStrictEqual(error.members, members)
    return true
  }
}

describe('the query', () => {
  test('P1.3.3 is form-urlencoded', () => {
    const query = new Query('a=1+2&b=%C3%A9&c', ['a', 'b', 'c'])
    assert.deepEqual(
      [query.text('a'), query.text('b'), query.text('c'), query.text('d')],
      ['1 2', 'é', '', undefined],
    )
  })

  test('P1.3.3 knows its parameters, each once', () => {
    assert.throws(() => new Query('b=1', ['a']), code('unknown-parameter', { parameter: 'b' }))
    assert.throws(() => new Query('a=1&a=2', ['a']), code('repeated-parameter', { parameter: 'a' }))
    assert.throws(() => refuseQuery('x'), code('unknown-parameter', { parameter: 'x' }))
    assert.throws(() => new Query('__proto__=1', ['a']), code('unknown-parameter'))
    refuseQuery('')
  })

  test('data is nested at most 100 levels deep: to write what is nested thousands deep takes the square of its depth', () => {
    const nested = (open: string, close: string, depth: number): string =>
      `{"data":${open.repeat(depth)}1${close.repeat(depth)}}`
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['[1,{"b":2,"a":', '}]'],
    ] as const) {
      const levels = open.includes('{') && open.startsWith('[') ? 50 : 100
      assert.equal(parseNdjson(nested(open, close, levels), undefined, 1).length, 1)
      const text = `{"data":1}\n${nested(open, close, levels + 1)}`
      assert.throws(() => parseNdjson(text, undefined, 2), code('invalid-ndjson', { line: 2 }))
    }
    const wide = `{"data":[${'[],'.repeat(1_000)}{}]}`
    assert.equal(parseNdjson(wide, undefined, 1).length, 1)
  })

  test('a refusal shows control characters as escapes, so that it forges no line of a log and drives no terminal', () => {
    const refusals = [
      () => new Query('a%1b%0a%c2%9b=1', ['a']),
      () => new Query('a=%1b%0a%c2%9b', ['a']).number('a', 0, 9),
      () => parseNdjson('\x1b\x7f\u2028\u202e\u{e0001}', undefined, 1),
      () => parseNdjson(JSON.stringify({ data: '', type: 'downlink:\x7f\u009b' }), undefined, 1),
    ]
    for (const refusal of refusals)
      assert.throws(refusal, /^Problem: [^\p{C}\p{Zl}\p{Zp}]*\\u00[^\p{C}\p{Zl}\p{Zp}]*$/u)
  })

  test('P1.3.3 any text is a whole number within its range, or a problem', () => {
    const property = fc.property(fc.oneof(fc.string(), fc.integer().map(String)), (text) => {
      const query = new Query(new URLSearchParams({ n: text }).toString(), ['n'])
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
      if (value >= 1 && value <= 1000) assert.equal(query.number('n', 1, 1000), value)
      else
        assert.throws(
          () => query.number('n', 1, 1000),
          code('invalid-parameter', { parameter: 'n', limit: 1000 }),
        )
    })
    fc.assert(property)
  })

  test('P11.1.1 a flag has no value, or true', () => {
    const flag = (text: string): boolean => new Query(text, ['end']).flag('end')
    assert.deepEqual([flag(''), flag('end'), flag('end='), flag('end=true')], [false, true, true, true])
    for (const wrong of ['end=false', 'end=1', 'end=%20'])
      assert.throws(() => flag(wrong), code('invalid-parameter'))
  })
})

describe('NDJSON', () => {
  test('P9.3.2 any batch that was written line by line is read back', () => {
    const line = fc.record(
      { type: fc.stringMatching(/^[a-z]{1,9}$/), data: fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 2 })) },
      { requiredKeys: ['data'] },
    )
    const property = fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.constantFrom('\n', '\r\n', '\n\n', '\n \t\n'),
      (lines, end) => {
        const text = lines.map((value) => JSON.stringify(value) + end).join('')
        // An object is stored as its JSON, and so read as that.
        const expected = lines.map(({ data, ...rest }) => ({
          ...rest,
          data:
            typeof data === 'object' ? JSON.stringify(data) : (JSON.parse(JSON.stringify(data)) as unknown),
        }))
        assert.deepEqual(parseNdjson(text, undefined, 20), expected)
      },
    )
    fc.assert(property)
  })

  test('P9.3.3 any text is a batch or a problem with the number of a line', () => {
    const property = fc.property(
      fc.string({
        unit: fc.constantFrom(
          '{',
          '}',
          '"',
          'data',
          'type',
          ':',
          '1',
          'null',
          '\n',
          '\r',
          ',',
          '[',
          ']',
          '\\',
        ),
        maxLength: 40,
      }),
      (text) => {
        try {
          parseNdjson(text, undefined, 100)
        } catch (error) {
          assert.ok(error instanceof Problem)
          assert.ok(error.code === 'invalid-ndjson' || error.code === 'invalid-type')
          const { line } = error.members
          assert.ok(typeof line === 'number' && line >= 1 && line <= text.split('\n').length)
        }
      },
    )
    fc.assert(property, { numRuns: 2000 })
  })

  test('P9.3.1 the limit is met before the rest is looked at', () => {
    assert.throws(
      () => parseNdjson('{"data":1}\n{"data":2}\ngarbage', undefined, 2),
      code('batch-too-large', { limit: 2 }),
    )
    assert.equal(parseNdjson('{"data":1}\n\n{"data":2}\n\n', undefined, 2).length, 2)
  })
})

describe('the ETag', () => {
  const event = (n: number): Page['events'][number] => ({
    id: `e-${n}`,
    channel: 'a',
    type: 'message',
    data: String(n),
    time: '2026-01-01T00:00:00.000Z',
  })
  const page: Page = { events: [event(1), event(2), event(3)], cursor: 'e-9', more: false, retry: 3000 }
  const gap = { reason: 'trimmed', channels: ['a'], from: 'e-1', to: 'e-2' } as const

  test('P4.2.1 is the same for pages that tell the same', () => {
    for (const same of [{ ...page }, { ...page, cursor: 'e-10' }, { ...page, retry: 2500 }])
      assert.equal(etagOf(same), etagOf(page))
    assert.equal(etagOf({ ...page, gap: { ...gap, to: 'e-5' } }), etagOf({ ...page, gap }))
  })

  test('P4.2.1 is another for each page that tells something else', () => {
    const others: readonly Page[] = [
      page,
      { ...page, events: [] },
      { ...page, events: [event(1), event(2)] },
      { ...page, events: [event(1), event(4), event(3)] },
      { ...page, more: true },
      { ...page, gap },
      { ...page, gap: { ...gap, reason: 'deleted' } },
      { ...page, gap: { ...gap, channels: ['a', 'b'] } },
      { ...page, gap: { ...gap, from: null } },
      { ...page, ended: ['a'] },
      { ...page, ended: ['a', 'b'] },
      { ...page, ended: ['a,b'] },
      { ...page, events: [], cursor: 'f-9' },
    ]
    assert.equal(new Set(others.map(etagOf)).size, others.length)
  })

  test('P4.2.2 matches by weak comparison', () => {
    const etag = 'W/"abc"'
    for (const given of ['W/"abc"', '"abc"', '"x", W/"abc"', 'W/"x,y","abc"', '*', ' * '])
      assert.ok(matchesEtag(given, etag), given)
    for (const given of [undefined, '', 'abc', 'W/"abcd"', 'w/abc', '"ab"c"', '"*"'])
      assert.ok(!matchesEtag(given, etag), given)
  })
})

describe('problems', () => {
  test('P13.1.1 are what was thrown, with their limit', () => {
    assert.equal(toProblem(new WireError('invalid-channel', 'text')).code, 'invalid-channel')
    assert.equal(toProblem(new LogError('channel-ended', 'text')).status, 409)
    const large = toProblem(new HubError('batch-too-large', 'text', { limit: 3 }))
    assert.deepEqual([large.status, large.message, large.members], [413, 'text', { limit: 3 }])
    const own = new Problem('not-found', 'text')
    assert.equal(toProblem(own), own)
  })

  test('P13.2.1 what nobody foresaw is internal, and tells nothing of itself', () => {
    for (const thrown of [
      new Error('secret'),
      'secret',
      null,
      undefined,
      new LogError('retention-invalid', 'secret'),
      new HubError('history-lost', 'secret'),
      Object.assign(new Error('secret'), { code: 'not-found' }),
    ]) {
      const problem = toProblem(thrown)
      assert.deepEqual([problem.code, problem.status], ['internal', 500])
      assert.doesNotMatch(String(problemAnswer(problem).body), /secret/)
    }
  })

  test('P14.1.1 those of 429, 500 and 503 are temporary', () => {
    for (const name of Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[]) {
      const problem = new Problem(name, '')
      assert.equal(problem.temporary, [429, 500, 503].includes(problem.status), name)
    }
  })
})

describe('CORS', () => {
  const origins = ['https://app.example']
  const asking = (headers: Record<string, string>) => fakeRequest('', headers, 'OPTIONS')

  test('P16.1.1 nothing is said without an origin, and to one that is not named', () => {
    assert.deepEqual(corsHeaders(asking({}), origins), {})
    assert.deepEqual(corsHeaders(asking({ origin: 'https://other.example' }), origins), {})
    assert.deepEqual(corsHeaders(asking({ origin: 'https://app.example' }), []), {})
  })

  test('P16.2.1 a preflight says which method it is for, and is of a named origin', () => {
    const method = { 'access-control-request-method': 'POST' }
    const named = { origin: 'https://app.example' }
    assert.equal(
      preflightHeaders(asking({ ...named, ...method }), origins, 'GET')['access-control-allow-methods'],
      'GET',
    )
    assert.deepEqual(preflightHeaders(asking(named), origins, 'GET'), {})
    assert.deepEqual(preflightHeaders(asking(method), origins, 'GET'), {})
  })
})
