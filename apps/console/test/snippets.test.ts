/** What is copied from the page is run here, as it is, against a hub. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createHub, type Hub } from '@downlink/hub'
import { type HubServerOptions, serveHub } from '@downlink/hub/node'
import { readsSeveral, snippet, type SnippetKind, type Subject } from '../src/model/snippets.ts'

const here = join(dirname(fileURLToPath(import.meta.url)), '..')

async function hubOf(t: TestContext, options: HubServerOptions = {}): Promise<{ hub: Hub; base: string }> {
  const hub = createHub()
  const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 0, ...options })
  t.after(async () => {
    await server.stop()
    await hub.close()
  })
  return { hub, base: server.url }
}

/** Runs it until it has said all of these, each on a line of its own or in one. */
async function says(
  t: TestContext,
  kind: SnippetKind,
  text: string,
  wanted: readonly RegExp[],
): Promise<void> {
  const [command, args]: readonly [string, readonly string[]] =
    kind === 'curl'
      ? ['bash', ['-c', text]]
      : [
          process.execPath,
          [
            '--conditions=@downlink/source',
            '--experimental-eventsource',
            '--no-warnings',
            '--input-type=module',
            '-e',
            `const token = 'secret'\n${text}`,
          ],
        ]
  const child = spawn(command, args, {
    cwd: here,
    env: { ...process.env, DOWNLINK_TOKEN: 'secret' },
    detached: true,
  })
  t.after(() => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  })
  let said = ''
  let wrong = ''
  child.stderr.on('data', (chunk: Buffer) => (wrong += String(chunk)))
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += String(chunk)
      if (wanted.every((one) => one.test(said))) resolve()
    })
    child.on('exit', (code) => reject(new Error(`ended with ${code}, having said:\n${said}\n${wrong}`)))
  })
}

describe('a snippet, run as it is, reads', { concurrency: 3 }, () => {
  const subject = (base: string, more: Partial<Subject> = {}): Subject => ({
    base,
    channels: "it's",
    types: ['message', 'paid'],
    ...more,
  })

  for (const kind of ['curl', 'EventSource', 'subscribe'] as const) {
    test(`one channel, by ${kind}`, async (t) => {
      const { hub, base } = await hubOf(t)
      await hub.publish('orders.42', [{ data: 'first' }, { data: '{"total":7}', type: 'paid' }])
      const text = snippet(kind, subject(base, { channels: 'orders.42' }))
      await says(t, kind, text, [/first/, /paid[^]*\{"total":7\}/])
    })

    test(`a pattern, with the channel of each, by ${kind}`, async (t) => {
      const { hub, base } = await hubOf(t)
      await hub.publish(['orders.1', 'a:b~c'], { data: 'one' })
      await hub.publish('orders.2', { data: 'two', type: 'paid' })
      const text = snippet(kind, subject(base, { channels: 'orders.*,a:b~c' }))
      await says(t, kind, text, [/orders\.1[^]*one/, /orders\.2[^]*two/, /a:b~c[^]*one/])
    })

    test(`where a token is wanted, by ${kind}`, async (t) => {
      const { hub, base } = await hubOf(t, {
        authorize: (request) => request.header('authorization') === 'Bearer secret',
      })
      await hub.publish('orders.42', { data: 'for whom it concerns' })
      const text = snippet(kind, subject(base, { channels: 'orders.42', withToken: true }))
      assert.ok(!text.includes('secret'))
      await says(t, kind, text, [/for whom it concerns/])
    })
  }
})

test('of the types that came only some are listened to, and quotes can’t break out of their strings', () => {
  const types = ["it's", 'a\\b', ...Array.from({ length: 30 }, (_, n) => `t${n}`)]
  const text = snippet('EventSource', { base: 'http://h', channels: 'a', types })
  assert.match(text, /addEventListener\('it\\'s', show\)/)
  assert.match(text, /addEventListener\('a\\\\b', show\)/)
  assert.equal(text.split('\n').length, 2 + 6 + 2)
})

test('events come from several channels by a pattern, and by commas', () => {
  assert.deepEqual(['a', 'a.*', 'a,b', '**'].map(readsSeveral), [false, true, true, true])
})
