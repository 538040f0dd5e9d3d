/** Tickets, ends of tokens and disconnecting with `downlink serve`: what people have who write no code for it. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { SECRET, token } from './auth/tokens.ts'
import { type Command, serving } from './cli/command.ts'
import { openStream } from './wire-contract/client.ts'

const OWN = 'a secret for tickets, of thirty-two bytes'

async function node(
  t: TestContext,
  env: Record<string, string> = {},
): Promise<{ command: Command; url: string }> {
  return serving(t, ['--port', '0'], { env: { DOWNLINK_SECRET: SECRET, ...env } })
}

async function ticketOf(url: string, bearer: string, channels?: readonly string[]): Promise<string> {
  const answer = await fetch(`${url}/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}` },
    ...(channels && { body: JSON.stringify({ channels }) }),
  })
  assert.equal(answer.status, 200)
  return ((await answer.json()) as { ticket: string }).ticket
}

const READER = { sub: 'alice', downlink: { read: ['user.{sub}.**', 'news'] } }

describe('tickets of downlink serve', () => {
  test('P17.6.8 are good on another node with the same secret, and on none with another', async (t) => {
    const [one, same, own, ownToo] = await Promise.all([
      node(t),
      node(t),
      node(t, { DOWNLINK_TICKET_SECRET: OWN }),
      node(t, { DOWNLINK_TICKET_SECRET: OWN }),
    ])
    const goods: readonly (readonly [string, string, number])[] = [
      [one.url, same.url, 200],
      [one.url, own.url, 401],
      [own.url, ownToo.url, 200],
      [own.url, one.url, 401],
    ]
    for (const [from, to, status] of goods) {
      const ticket = await ticketOf(from, token(READER), ['news'])
      using stream = await openStream(`${to}/channels/news?ticket=${ticket}`)
      assert.equal(stream.status, status)
    }
  })

  test('P17.6.1 P6.4.4 are for what the token may read, and their streams are told that it ends', async (t) => {
    const { url, command } = await node(t)
    const bearer = token({ ...READER, exp: Math.ceil(Date.now() / 1000) + 3 })
    const ticket = await ticketOf(url, bearer)
    using stream = await openStream(`${url}/channels/user.alice.*,news?ticket=${ticket}`)
    using other = await openStream(`${url}/channels/user.bob.x?ticket=${ticket}`)
    assert.deepEqual([stream.status, other.status], [200, 403])
    assert.equal((await stream.next())?.type, 'downlink:open')
    assert.equal((await stream.next())?.type, 'downlink:expire')
    await stream.ended
    using late = await openStream(`${url}/channels/news?ticket=${ticket.slice(0, -4)}AAAA`)
    assert.equal(late.status, 401)
    await command.until(() => command.stderr.includes('invalid-ticket'))
    for (const secret of [ticket, ticket.slice(60, 90), bearer, 'ticket='])
      assert.ok(!`${command.stdout}${command.stderr}`.includes(secret), 'what nobody may see is in the log')
  })

  test('P12.3.3 whoever may inspect ends the streams of a subject, and revokes its tokens', async (t) => {
    const { url } = await node(t)
    const iat = Math.floor(Date.now() / 1000) - 10
    const old = token({ ...READER, iat })
    using stream = await openStream(`${url}/channels/news`, { authorization: `Bearer ${old}` })
    await stream.next()
    const ask = (bearer: string): Promise<Response> =>
      fetch(`${url}/disconnect`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}` },
        body: '{"subject":"alice","revoke":true}',
      })
    assert.equal((await ask(old)).status, 403)
    const answer = await ask(token({ sub: 'admin', downlink: { inspect: true } }))
    assert.deepEqual([answer.status, await answer.json()], [200, { disconnected: 1 }])
    await stream.ended
    using refused = await openStream(`${url}/channels/news`, { authorization: `Bearer ${old}` })
    assert.equal(refused.status, 401)
    const anew = token({ ...READER, iat: iat + 20 })
    using again = await openStream(`${url}/channels/news`, { authorization: `Bearer ${anew}` })
    assert.equal(again.status, 200)
  })
})
