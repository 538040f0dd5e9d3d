/** The seal of tickets: which hub can open which, and that nobody else makes one. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CompactEncrypt } from 'jose'
import fc from 'fast-check'
import { LONGEST_TICKET, type Ticket, Tickets } from '../src/auth/tickets.ts'
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
