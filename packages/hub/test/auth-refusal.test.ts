/** What a refusal becomes on the wire: RFC 6750 in `WWW-Authenticate`, RFC 9457 in the body; returned or thrown. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Refusal, type RefusalCode } from '../src/auth/refusal.ts'
import { fetchHandler } from '../src/fetch.ts'
import { createHub } from '../src/hub.ts'

const EXPECTED: Readonly<Record<RefusalCode, readonly [status: number, challenge: string | null]>> = {
  unauthorized: [401, 'Bearer'],
  'invalid-token': [401, `Bearer error="invalid_token", error_description="It's 'bad': \`exp\`, ? ?"`],
  forbidden: [403, `Bearer error="insufficient_scope", error_description="It's 'bad': \`exp\`, ? ?"`],
  'invalid-credentials': [
    400,
    `Bearer error="invalid_request", error_description="It's 'bad': \`exp\`, ? ?"`,
  ],
  'cross-site': [403, null],
  'keys-unavailable': [503, null],
}
const MESSAGE = 'It\'s "bad": `exp`, é \n'

describe('a refusal of `authorize`', () => {
  for (const [code, [status, challenge]] of Object.entries(EXPECTED) as [
    RefusalCode,
    (typeof EXPECTED)[RefusalCode],
  ][])
    for (const [how, refuse] of [
      ['returned', (refusal: Refusal) => refusal],
      ['returned later', (refusal: Refusal) => Promise.resolve(refusal)],
      [
        'thrown',
        (refusal: Refusal): never => {
          throw refusal
        },
      ],
      ['thrown later', (refusal: Refusal) => Promise.reject(refusal)],
    ] as const)
      test(`P13.3.2 ${code}, ${how}, is ${status} with its challenge`, async (t) => {
        const hub = createHub()
        t.after(() => hub.close())
        const handle = fetchHandler(hub, { authorize: () => refuse(new Refusal(code, MESSAGE)) })
        for (const [method, path] of [
          ['GET', '/channels/a'],
          ['POST', '/channels/a'],
          ['DELETE', '/channels/a'],
          ['GET', '/channels'],
          ['GET', '/metrics'],
        ] as const) {
          const answer = await handle(new Request(`http://hub.example${path}`, { method }))
          assert.equal(answer.status, status)
          assert.equal(answer.headers.get('www-authenticate'), challenge)
          assert.equal(answer.headers.has('retry-after'), status === 503)
          const { code: told, detail } = (await answer.json()) as { code: string; detail: string }
          assert.deepEqual([told, detail], [code, MESSAGE])
        }
      })

  test('P14.2.1 a bare EventSource survives that the keys are away', async (t) => {
    const hub = createHub()
    t.after(() => hub.close())
    const authorize = (): Refusal => new Refusal('keys-unavailable', 'Away')
    const handle = fetchHandler(hub, { authorize })
    const accept = 'text/event-stream'
    const answer = await handle(new Request('http://hub.example/channels/a', { headers: { accept } }))
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /^retry: \d+\n: keys-unavailable: Away\n/)
  })

  test('of one channel of a listing leaves that channel out', async (t) => {
    const hub = createHub()
    t.after(() => hub.close())
    await hub.publish('a', { data: 'x' })
    await hub.publish('b', { data: 'x' })
    const handle = fetchHandler(hub, {
      authorize: (_request, _action, [channel]) => channel !== 'b' || new Refusal('forbidden', 'No'),
    })
    const answer = await handle(new Request('http://hub.example/channels'))
    const { channels } = (await answer.json()) as { channels: { name: string }[] }
    assert.deepEqual(
      channels.map(({ name }) => name),
      ['a'],
    )
  })
})
