/** The dashboard in `docs/deploy/grafana.json` asks for what a hub tells, in words that Prometheus understands. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { openConsole } from '../src/console.ts'
import { serveHub } from '../src/http/server.ts'
import { createHub } from '../src/hub.ts'
import { asked, type Token, tokensOf } from './grafana/promql.ts'

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource: { readonly uid: string }
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[]
}

interface Dashboard {
  readonly schemaVersion: number
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] }
  readonly panels: readonly Panel[]
}

const FILE = new URL('../../../docs/deploy/grafana.json', import.meta.url)
const dashboard = JSON.parse(readFileSync(FILE, 'utf8')) as Dashboard
const exprs = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

describe('the dashboard', () => {
  test('is of a schema that Grafana 11 and 12 read, and asks for its data source', () => {
    assert.ok(dashboard.schemaVersion >= 39 && dashboard.schemaVersion <= 41)
    const variables = dashboard.templating.list.map(({ name, type }) => [name, type])
    assert.deepEqual(variables, [
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ])
    for (const { datasource, targets } of dashboard.panels) {
      for (const { uid } of [datasource, ...targets.map((target) => target.datasource)])
        assert.equal(uid, '${datasource}')
    }
  })

  test('has its panels beside each other, and not on each other', () => {
    const taken = new Map<string, string>()
    for (const { title, gridPos } of dashboard.panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.equal(taken.get(`${x} ${y}`), undefined, `${title} is on another`)
          taken.set(`${x} ${y}`, title)
        }
      }
    }
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
  })

  test('asks for nothing that a live hub does not tell, with labels that it has', async (t) => {
    const hub = createHub()
    const shown = openConsole(hub)
    const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 0, ...shown.options })
    t.after(async () => {
      await server.stop()
      await shown.close()
      await hub.close()
    })
    await fetch(`${server.url}/channels/a`, { method: 'POST', body: 'x' })
    const text = await (await fetch(`${server.url}/metrics`)).text()
    const known = new Map<string, Set<string>>()
    for (const line of text.split('\n')) {
      const [, name, labels = ''] = /^([a-z_]+)(?:\{(.*)\})? /.exec(line) ?? []
      if (name === undefined) continue
      const of = known.get(name) ?? known.set(name, new Set()).get(name)
      for (const [, label = ''] of labels.matchAll(/([a-z_]+)="/g)) of?.add(label)
    }
    const used = exprs.flatMap((expr) => asked(expr))
    assert.ok(used.length > 30, 'what is asked for is found at all')
    for (const { metric, labels } of used) {
      const has = known.get(metric)
      assert.ok(has, `${metric} is not in /metrics`)
      for (const label of labels) {
        // Prometheus itself adds these.
        if (label !== 'job' && label !== 'instance') assert.ok(has.has(label), `${metric} has no ${label}`)
      }
    }
  })

  for (const expr of exprs) {
    test(`can be read by Prometheus: ${expr}`, () => void tokensOf(expr))
  }

  test('what Prometheus would not read is found', () => {
    const bad = [
      'sum(rate(a[5m])',
      'a{b=c}',
      'sum by le (a)',
      'rate(a)',
      'Sum(a)',
      'a{b="c"',
      'a b',
      '',
      'sum()',
    ]
    for (const expr of bad) assert.throws(() => tokensOf(expr), expr)
    const good: readonly Token[] = tokensOf('sum(a)')
    assert.equal(good.length, 4)
  })
})
