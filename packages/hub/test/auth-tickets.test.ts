/** The seal of tickets: which hub can open which, and that nobody else makes one. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { CompactEncrypt } from 'jose'
import fc from 'fast-check'
import { LONGEST_TICKET, type Ticket, Tickets } from '../src/auth/tickets.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import { fetchHandler } from '../src/fetch.ts'
import { nodeHandler } from '../src/node.ts'
import { createHub } from '../src/index.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const TICKET: Ticket = {
  id: 'i',
  subject: 'alice',
  channels: ['a', 'b.**'],
  issued: 1,
  until: 2,
  limits: { streams: 3 },
}

describe('a sealed ticket', () => {
  test('is opened by whoever has the same secret, as after a restart or on another node', async () => {
    const text = await new Tickets(SECRET).seal(TICKET)
    assert.deepEqual(await new Tickets(SECRET).open(text), TICKET)
    assert.deepEqual(await new Tickets(new TextEncoder().encode(SECRET)).open(text), TICKET)
  })

  test('is opened by nobody else', async () => {
    const text = await new Tickets(SECRET).seal(TICKET)
    assert.equal(await new Tickets(`${SECRET}.`).open(text), undefined)
    assert.equal(await new Tickets().open(text), undefined)
    assert.equal(await new Tickets().open(await new Tickets().seal(TICKET)), undefined)
  })

  test('says nothing of what is in it, and is another text each time', async () => {
    const tickets = new Tickets(SECRET)
    const [one, other] = [await tickets.seal(TICKET), await tickets.seal(TICKET)]
    assert.notEqual(one, other)
    for (const part of one.split('.').slice(1))
      assert.doesNotMatch(Buffer.from(part, 'base64url').toString('latin1'), /alice|b\.\*/)
  })

  test('is not made with the secret itself, which may sign tokens too', async () => {
    const secret = new TextEncoder().encode(SECRET.slice(0, 32))
    const header = { alg: 'dir', enc: 'A256GCM' }
    const text = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(TICKET)))
      .setProtectedHeader(header)
      .encrypt(secret)
    assert.equal(await new Tickets(secret).open(text), undefined)
  })

  test('is refused when anything of it is changed, cut or added', async () => {
    const tickets = new Tickets(SECRET)
    const text = await tickets.seal(TICKET)
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), async (at, code) => {
        const character = String.fromCharCode(code)
        for (const wrong of [text.slice(0, at), text.slice(0, at) + character + text.slice(at)])
          assert.equal(await tickets.open(wrong), undefined)
        const changed = text.slice(0, at) + character + text.slice(at + 1)
        // The last character of a part may hold bits that mean nothing.
        const found = changed === text ? undefined : await tickets.open(changed)
        if (found) assert.deepEqual(found, TICKET)
      }),
      { numRuns: 300 },
    )
  })

  test('whatever else is no ticket, and is told so at once', async () => {
    const tickets = new Tickets(SECRET)
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 200 }), async (text) => {
        assert.equal(await tickets.open(text), undefined)
      }),
    )
    assert.equal(await tickets.open('A.'.repeat(LONGEST_TICKET)), undefined)
    assert.equal(await tickets.open('x'.repeat(10_000_000)), undefined)
  })
})

test('a secret has 32 bytes at least, and the hub says so when it is made', async (t) => {
  const hub = createHub()
  t.after(() => hub.close())
  assert.throws(() => new Tickets('x'.repeat(31)), { code: 'invalid-option', message: /32 bytes, got 31/ })
  assert.ok(new Tickets('x'.repeat(32)))
  assert.throws(() => nodeHandler(hub, { authorize: () => true, ticketSecret: 'short' }), {
    code: 'invalid-option',
  })
})

describe('a ticket that is seen by others', () => {
  /** A hub whose clock is turned by hand, asked without a network. */
  function world(t: TestContext) {
    let passed = 0
    const clock: Clock = { ...systemClock, now: () => Date.now() + passed }
    const hub = createHub({ clock })
    t.after(() => hub.close())
    const handle = fetchHandler(hub, { authorize: () => ({ subject: 'alice' }), ticketSecret: SECRET })
    const issue = async (): Promise<string> => {
      const body = JSON.stringify({ channels: ['a'] })
      const answer = await handle(new Request('http://hub.example/tickets', { method: 'POST', body }))
      return ((await answer.json()) as { ticket: string }).ticket
    }
    /** The status; what is opened is closed. */
    const open = async (ticket: string, more = '', headers: Record<string, string> = {}): Promise<number> => {
      const url = `http://hub.example/channels/a?transport=sse&ticket=${ticket}${more}`
      const answer = await handle(new Request(url, { headers }))
      await answer.body?.cancel()
      return answer.status
    }
    return { hub, issue, open, pass: (ms: number) => (passed += ms) }
  }

  test('P17.6.4 opens no first stream after 30 s, whatever else stands in its URL', async (t) => {
    const { issue, open, pass } = world(t)
    const [one, other] = [await issue(), await issue()]
    pass(29_000)
    assert.equal(await open(one), 200)
    pass(2_000)
    for (const ticket of [one, other]) {
      assert.equal(await open(ticket), 401)
      assert.equal(await open(ticket, '&after=abc-1'), 401)
      for (const id of ['', 'x', '-1', 'abc-01', 'abc-1 abc-2'])
        assert.equal(await open(ticket, '', { 'last-event-id': id }), 401, id)
    }
  })

  test('P17.6.4 P17.6.2 goes on for who comes back with a cursor, for an hour at most', async (t) => {
    const { issue, open, pass } = world(t)
    const ticket = await issue()
    pass(31_000)
    assert.equal(await open(ticket, '', { 'last-event-id': 'abc-1' }), 200)
    pass(3_600_000 - 32_000)
    assert.equal(await open(ticket, '', { 'last-event-id': 'abc-1' }), 200)
    pass(1_000)
    assert.equal(await open(ticket, '', { 'last-event-id': 'abc-1' }), 401)
  })

  test('P12.3.3 opens nothing when its subject was revoked', async (t) => {
    const { hub, issue, open, pass } = world(t)
    const ticket = await issue()
    pass(1)
    hub.disconnect({ subject: 'alice', revoke: true })
    assert.equal(await open(ticket), 401)
  })
})
