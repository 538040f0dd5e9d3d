/** Names, patterns and parameters: what a read may say, and what it is told when it says something else. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, askPage, post, problemOf } from './client.ts'
import { type Face, fresh, shared } from './face.ts'

export function namesFacts(face: Face): void {
  describe('names, patterns and parameters', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const refused = async (path: string, code: string): Promise<Record<string, unknown>> =>
      problemOf(await ask(at(path)), 400, code)

    test('P2.1.1 a name of 255 characters of all kinds is one, of 256 none', async () => {
      const name = `Az09_-~:.${'x'.repeat(246)}`
      assert.equal(name.length, 255)
      await post(at(name), 'x')
      assert.deepEqual(
        (await askPage(at(name))).events.map(({ channel }) => channel),
        [name],
      )
      await refused(`${name}x`, 'invalid-channel')
    })

    for (const wrong of [
      '',
      'orders.',
      '.orders',
      'a..b',
      'a%20b',
      'a%00b',
      '%C3%A9',
      'a/b',
      'a%2Fb',
      'a,,b',
      'a$b',
      'a%',
    ]) {
      test(`P2.1.5 P1.3.2 /channels/${wrong} names no channel`, async () => {
        const { detail } = await refused(wrong, 'invalid-channel')
        // oxlint-disable-next-line no-control-regex -- what must not come back unescaped
        assert.doesNotMatch(String(detail), /[\0-\x1f]/)
      })
    }

    for (const wrong of ['a*', 'a.**.b', '***', 'a.*b', '**.a', '*..a']) {
      test(`P2.2.3 ${wrong} is no pattern`, async () => {
        await refused(wrong, 'invalid-pattern')
      })
    }

    test('P1.3.2 a comma may be sent as %2C', async () => {
      const [one, two] = [fresh(), fresh()]
      await post(at(`${one}%2C${two}`), 'both')
      const { events } = await askPage(at(`${one}%2c${two}`))
      assert.deepEqual(
        events.map(({ channel }) => channel),
        [one, two],
      )
    })

    test('P1.3.2 a percent-encoding is taken away once', async () => {
      const name = fresh('a~b')
      await post(at(name.replace('~', '%7E')), 'x')
      assert.equal((await askPage(at(name))).events.length, 1)
      await refused(name.replace('~', '%257E'), 'invalid-channel')
    })

    test('P2.2.1 * is one level, a last ** one or more', async () => {
      const root = fresh('tree')
      for (const path of ['', '.a', '.a.b', '.a.b.c', '.x.b']) await post(at(root + path), path)
      const read = async (pattern: string): Promise<readonly string[]> =>
        (await askPage(at(pattern))).events.map(({ data }) => data)
      assert.deepEqual(await read(`${root}.*`), ['.a'])
      assert.deepEqual(await read(`${root}.**`), ['.a', '.a.b', '.a.b.c', '.x.b'])
      assert.deepEqual(await read(`${root}.*.b`), ['.a.b', '.x.b'])
      assert.deepEqual(await read(`${root},${root}.*.b.*`), ['', '.a.b.c'])
    })

    test('P2.1.4 P3.1.2 a channel of the hub’s own, and one that nobody has published to, can be read', async () => {
      assert.deepEqual((await askPage(at('$hub.readers'))).events, [])
      assert.deepEqual((await askPage(at(fresh()))).events, [])
    })

    test('P3.1.1 a read has 64 names and patterns, one given twice counts once, and 65 are too many', async () => {
      const names = Array.from({ length: 64 }, () => fresh())
      await askPage(at([...names, names[0]].join(',')))
      const problem = await refused([...names, 'one-more.*'].join(','), 'too-many-channels')
      assert.equal(problem['limit'], 64)
    })

    test('P1.3.3 P3.1.3 a read names the parameters it knows when it meets another', async () => {
      const { parameter, detail } = await refused('x?after=start&afer=start', 'unknown-parameter')
      assert.equal(parameter, 'afer')
      for (const known of ['after', 'before', 'last', 'limit', 'wait', 'transport', 'fields', 'event'])
        assert.match(String(detail), new RegExp(known))
    })

    test('P1.3.3 a parameter given twice is refused', async () => {
      const { parameter } = await refused('x?limit=1&limit=1', 'repeated-parameter')
      assert.equal(parameter, 'limit')
    })

    const values = {
      limit: ['0', '1001', '-1', '1.5', '1e2', '', ' 1', '0x10', 'all', '9'.repeat(30)],
      last: ['1001', '-1', 'ten', ''],
      wait: ['-1', '1.5', 'long', ''],
      transport: ['web-socket', 'SSE', ''],
      fields: ['id', 'channel,data', 'channel;time', ''],
      event: ['type', ''],
    }
    for (const [parameter, wrong] of Object.entries(values)) {
      test(`P1.3.3 ${parameter} is checked, also where it has no effect`, async () => {
        for (const value of wrong) {
          const query = parameter === 'transport' ? '' : '&transport=sse'
          const problem = await refused(
            `x?${parameter}=${encodeURIComponent(value)}${query}`,
            'invalid-parameter',
          )
          assert.equal(problem['parameter'], parameter)
        }
      })
    }

    test('P13.1.2 a problem repeats little of what was sent, and escapes it', async () => {
      const long = 'q'.repeat(5_000)
      for (const path of [
        `x?${long}=1`,
        `x?limit=${long}`,
        `x?limit=%0A%1b%5B31m`,
        `x?after=${long}`,
        long,
      ]) {
        const got = await ask(at(path))
        assert.equal(got.status, 400)
        assert.ok(got.text.length < 700, got.text)
        // oxlint-disable-next-line no-control-regex -- what must not come back unescaped
        assert.doesNotMatch((JSON.parse(got.text) as { detail: string }).detail, /[\0-\x1f]/)
      }
    })

    test('P1.3.4 the path is judged before the method, the method before the names', async () => {
      problemOf(await ask(`${hub.url}/nowhere`, { method: 'PUT' }), 404, 'not-found')
      problemOf(await ask(at('a..b'), { method: 'PUT' }), 405, 'method-not-allowed')
      problemOf(await ask(at('a..b?bad=1')), 400, 'invalid-channel')
    })
  })
}
