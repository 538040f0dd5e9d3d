/**
 * Prototype pollution, and names that every object has: `__proto__` and its like are channels, types, data and subjects as any other,
 * and no name of a parameter, member or header that anybody knows.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { parsePage } from '@downlink/wire'
import type { Authorize } from '../src/auth/authorize.ts'
import { ConfigError, parseConfig } from '../src/cli/config.ts'
import { parseImportLine } from '../src/cli/import-line.ts'
import { splitKeys } from '../src/http/keys-in-url.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { type HubServer, serveHub } from '../src/http/server.ts'
import { MemoryLog } from '../src/log/memory.ts'
import type { Log } from '../src/log/log.ts'
import { SqliteLog } from '../src/sqlite.ts'
import { ask, askPage, openStream, post, problemOf } from './wire-contract/client.ts'

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
]
const POISON = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'

/** What objects had before these tests, and have after each. */
const OWN = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))
const isClean = (): void => {
  assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), OWN)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
}

for (const engine of ['memory', 'sqlite'] as const) {
  describe(`names that every object has, on ${engine}`, () => {
    let hub: Hub
    let server: HubServer
    const authorize: Authorize = ({ header }) => ({ subject: header('x-subject') ?? '' })
    const folder = mkdtempSync(join(tmpdir(), 'downlink-names-'))
    before(async () => {
      const log: Log =
        engine === 'memory'
          ? new MemoryLog({ retention: [{ channels: 'toString', count: 1 }] })
          : await SqliteLog.open({ path: join(folder, 'log.db') })
      hub = createHub({ log })
      server = await serveHub(hub, { host: '127.0.0.1', authorize })
    })
    after(async () => {
      await server.stop()
      await hub.close()
      rmSync(folder, { recursive: true })
    })
    afterEach(isClean)

    for (const name of NAMES) {
      test(`${name} is a channel, a type, a subject and a key as any other`, async () => {
        const url = `${server.url}/channels/${name}`
        using stream = await openStream(`${url}?event=channel&fields=channel`)
        assert.equal((await stream.next())?.type, 'downlink:open')
        const headers = { 'x-subject': name, 'idempotency-key': name }
        const [id] = await post(url, POISON, headers)
        assert.deepEqual(await post(url, POISON, headers), [id])
        assert.deepEqual([(await stream.next())?.type], [name])
        await post(`${url}?type=${name}`, 'typed', { 'x-subject': name })
        assert.deepEqual((await stream.next())?.data, 'typed')
        const { events } = await askPage(`${url}?last=1`)
        assert.deepEqual([events[0]?.channel, events[0]?.type, events[0]?.data], [name, name, 'typed'])
        const { channels } = JSON.parse((await ask(`${server.url}/channels?match=${name}`)).text) as {
          channels: { name: string }[]
        }
        assert.deepEqual(
          channels.map((one) => one.name),
          [name],
        )
        assert.equal((await ask(url, { method: 'DELETE' })).status, 204)
        assert.equal((await stream.next())?.type, 'downlink:gap')
      })

      test(`${name} is no parameter, no choice, no route and no method`, async () => {
        const url = `${server.url}/channels/a`
        problemOf(await ask(`${url}?${name}=1`), 400, 'unknown-parameter')
        problemOf(await ask(`${url}?${name}[polluted]=1`), 400, 'unknown-parameter')
        problemOf(await ask(`${url}?transport=${name}`), 400, 'invalid-parameter')
        problemOf(await ask(`${url}?fields=${name}`), 400, 'invalid-parameter')
        problemOf(await ask(`${url}?after=${name}`), 400, 'invalid-cursor')
        problemOf(await ask(`${server.url}/${name}`), 404, 'not-found')
        const headers = {
          accept: name,
          'accept-encoding': name,
          [name]: '{"polluted":1}',
          prefer: `${name}=1`,
        }
        problemOf(await ask(url, { headers }), 406, 'not-acceptable')
        const typed = { 'content-type': name, [name.toLowerCase()]: 'x' }
        assert.equal((await ask(url, { method: 'POST', body: 'x', headers: typed })).status, 200)
      })

      test(`${name} is no member of a line of a batch`, async () => {
        const headers = { 'content-type': 'application/x-ndjson' }
        for (const body of [
          `{"${name}":{"polluted":1}}`,
          `{"data":1,"${name}":{"polluted":1}}`,
          `{"data":1,"${name}":1}`,
        ])
          problemOf(
            await ask(`${server.url}/channels/batch`, { method: 'POST', body, headers }),
            400,
            'invalid-ndjson',
          )
      })
    }

    test('data that would pollute is text, and stays what it is', async () => {
      const headers = { 'content-type': 'application/x-ndjson' }
      await post(`${server.url}/channels/poison`, `{"data":${POISON}}`, headers)
      assert.equal((await askPage(`${server.url}/channels/poison`)).events[0]?.data, POISON)
    })

    test('metrics have no series of strangers’ making', async () => {
      for (const method of ['PROPFIND', 'MKCOL', 'TRACE']) await ask(`${server.url}/channels/a`, { method })
      const { text } = await ask(`${server.url}/metrics`)
      const methods = new Set([...text.matchAll(/method="([^"]*)"/g)].map(([, method]) => method))
      for (const method of methods)
        assert.ok(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'other'].includes(method ?? ''), method)
    })
  })
}

describe('what is parsed', () => {
  afterEach(isClean)

  for (const name of NAMES)
    test(`${name} is no member of the configuration, an import or a page, and no key in a URL`, () => {
      for (const text of [
        `{"${name}":{"polluted":1}}`,
        `{"retention":[{"channels":"a","${name}":{"polluted":1}}]}`,
        `{"limits":{"${name}":1}}`,
      ])
        assert.throws(() => parseConfig(text, '/'), ConfigError)
      assert.throws(() => parseImportLine(`{"channel":"a","data":"x","${name}":{"polluted":1}}`), {
        name: 'LineError',
      })
      const page = parsePage(`{"cursor":"e-1","events":[],"more":false,"retry":1,"${name}":{"polluted":1}}`)
      assert.equal((page as unknown as Record<string, unknown>)['polluted'], undefined)
      assert.deepEqual(splitKeys(`${name}=1`), { keys: {}, rest: `${name}=1` })
    })
})
