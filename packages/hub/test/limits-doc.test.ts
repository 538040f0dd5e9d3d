/** docs/limits.md and what the code does are the same. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parseConfig } from '../src/cli/config.ts'
import { limitOfJson, limitOfText, limitOptions, limitValue } from '../src/cli/serve-limits.ts'
import { DEFAULT_HTTP_LIMITS } from '../src/http/http-limits.ts'
import { type ProblemCode, PROBLEMS } from '../src/http/problem.ts'
import { DEFAULT_HUB_LIMITS } from '../src/hub-options.ts'
import { LIMIT_NAMES, LIMITS, type LimitSpec } from '../src/limits/names.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const page = read('../../../docs/limits.md')
const protocol = read('../../../docs/protocol.md')
const schema = JSON.parse(read('../config.schema.json')) as {
  readonly properties: { readonly limits: { readonly properties: object } }
}

/** The cells of the first table under the heading. */
function rows(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const lines =
    section
      .split('\n## ', 1)[0]
      ?.split('\n')
      .filter((line) => line.startsWith('|')) ?? []
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

function shown({ unit, default: amount }: LimitSpec): string {
  if (amount === Infinity) return 'none'
  switch (unit) {
    case 'bytes':
      return amount % 2 ** 20 === 0 ? `${amount / 2 ** 20} MB` : `${amount / 2 ** 10} KB`
    case 'time':
      return `${amount / 1000} s`
    case 'rate':
      return `${amount.toLocaleString('en')} a second`
    case 'count':
      return amount.toLocaleString('en')
  }
}

function outcome({ answer }: LimitSpec): string {
  if (answer === 'cut') return 'cut to it'
  return answer in PROBLEMS ? `\`${PROBLEMS[answer as ProblemCode][0]} ${answer}\`` : answer
}

const WHERE = { hub: '`createHub`', http: '`serveHub`', log: 'log' } as const

describe('docs/limits.md', () => {
  test('its table is what the code has', () => {
    const wanted = LIMIT_NAMES.map((name) => {
      const spec: LimitSpec = LIMITS[name]
      const { of, option, none } = spec
      return [`\`${name}\``, shown(spec), none ? 'yes' : 'no', `${WHERE[of]} \`${option}\``, outcome(spec)]
    })
    assert.deepEqual(rows('The table'), wanted)
  })

  test('every limit of the hub and of its server has a name', () => {
    const named = (of: LimitSpec['of']): string[] =>
      LIMIT_NAMES.map((name): LimitSpec => LIMITS[name])
        .filter((spec) => spec.of === of)
        .map(({ option }) => option)
        .toSorted()
    assert.deepEqual(named('hub'), Object.keys(DEFAULT_HUB_LIMITS).toSorted())
    assert.deepEqual(named('http'), Object.keys(DEFAULT_HTTP_LIMITS).toSorted())
  })

  test('every answer stands in the protocol', () => {
    for (const name of LIMIT_NAMES) {
      const { answer }: LimitSpec = LIMITS[name]
      if (!(answer in PROBLEMS)) continue
      assert.match(
        protocol,
        new RegExp(`^\\| \`${answer}\` +\\| ${PROBLEMS[answer as ProblemCode][0]} `, 'm'),
        answer,
      )
    }
  })

  test('its configuration is one', () => {
    const [, json = ''] = /```json\n([^]*?)\n```/.exec(page) ?? []
    assert.deepEqual(parseConfig(json, '/').limits, {
      streams: 20_000,
      'streams-per-subject': 20,
      body: 4 * 2 ** 20,
      wait: 30_000,
      log: 50 * 2 ** 30,
    })
  })
})

describe('limits by flag and configuration', () => {
  test('the schema knows all of them', () => {
    assert.deepEqual(Object.keys(schema.properties.limits.properties), LIMIT_NAMES)
  })

  for (const name of LIMIT_NAMES) {
    const spec: LimitSpec = LIMITS[name]
    const { unit, none, option } = spec
    const [text, json, value] = (
      {
        count: ['12', 12, 12],
        rate: ['0.5', 0.5, 0.5],
        bytes: ['2MB', '2MB', 2 * 2 ** 20],
        time: ['1.5s', '1.5s', 1_500],
      } as const
    )[unit]

    test(`${name} can be said, and comes to where it belongs`, () => {
      assert.deepEqual(limitValue(`${name}=${text}`), { [name]: value })
      assert.equal(limitOfJson(name, json), value)
      const { hub, http, log } = limitOptions({ [name]: value })
      const all = { ...hub, ...http, ...(log === undefined ? {} : { fullBytes: log }) }
      assert.deepEqual(all, { [option]: value })
    })

    test(`${name} is ${none ? '' : 'not '}lifted by none, and refuses what it can't be`, () => {
      if (none) assert.equal(limitOfText(name, 'none'), Infinity)
      else assert.throws(() => limitOfText(name, 'none'), { name: 'AmountError' })
      for (const wrong of ['', '0', '-1', 'x', '1e3', '1 ', '10XB', '0s', '99999d', '0B'])
        assert.throws(() => limitOfText(name, wrong), { name: 'AmountError' }, wrong)
      for (const wrong of [null, true, 0, -1, {}, '', '12', Number.NaN, Infinity, [1]])
        assert.throws(() => limitOfJson(name, wrong), { name: 'AmountError' })
    })
  }

  test('several are one', () => {
    assert.deepEqual(limitValue('body=2MB', limitValue('streams=1', { body: 1 })), {
      body: 2 * 2 ** 20,
      streams: 1,
    })
  })
})
