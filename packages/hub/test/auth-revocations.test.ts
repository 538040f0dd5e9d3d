/** Revocations, and which tickets are in use: what a node remembers of them, and how much of it at most. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Revocations } from '../src/auth/revocations.ts'
import { TicketUse } from '../src/delivery/ticket-use.ts'

const DAY = 86_400_000

describe('a revocation', () => {
  test('holds for rights from before it, those of that instant too, and for those that say no time', () => {
    const revocations = new Revocations()
    revocations.add('alice', 1_000)
    assert.equal(revocations.hold('alice', 999, 2_000), true)
    assert.equal(revocations.hold('alice', 1_000, 2_000), true)
    assert.equal(revocations.hold('alice', undefined, 2_000), true)
    assert.equal(revocations.hold('alice', 1_001, 2_000), false)
    assert.equal(revocations.hold('bob', undefined, 2_000), false)
  })

  test('may be said again, and is over after a day', () => {
    const revocations = new Revocations()
    revocations.add('alice', 0)
    revocations.add('alice', 10_000)
    assert.equal(revocations.hold('alice', 5_000, 20_000), true)
    assert.equal(revocations.hold('alice', 5_000, 10_000 + DAY), false)
  })

  test('is refused when 10,000 hold, and none is forgotten for it', () => {
    const revocations = new Revocations()
    for (let n = 0; n < 10_000; n++) revocations.add(`user ${n}`, n)
    assert.throws(() => revocations.add('one more', 10_000), { code: 'revocations-full' })
    revocations.add('user 5', 10_000)
    assert.equal(revocations.hold('user 0', 0, 10_000), true)
    revocations.add('one more', DAY + 1)
    assert.equal(revocations.hold('one more', 0, DAY + 1), true)
  })

  test('is never of nobody', () => {
    assert.throws(() => new Revocations().add('', 0), { code: 'invalid-option' })
  })
})

describe('the use of a ticket', () => {
  const HOUR = 3_600_000
  interface Held {
    readonly end: () => void
    open: boolean
  }
  function stream(use: TicketUse, ticket: string, now: number): Held {
    use.admit(ticket, HOUR, now)
    const held: Held = {
      open: true,
      end() {
        held.open = false
        use.release(ticket, held)
      },
    }
    use.hold(ticket, held, now)
    return held
  }

  test('one stream after the other is fine, however soon', () => {
    const use = new TicketUse(10_000)
    for (let n = 0; n < 20; n++) stream(use, 't', n).end()
  })

  test('the remains of a lost connection are ended now and then', () => {
    const use = new TicketUse(10_000)
    const first = stream(use, 't', 0)
    const second = stream(use, 't', 20_000)
    const third = stream(use, 't', 40_000)
    assert.deepEqual([first.open, second.open, third.open], [false, false, true])
  })

  test('who comes while the one that was ended may be back makes it void, whichever of the two it is', () => {
    for (const gone of [false, true]) {
      const use = new TicketUse(10_000)
      stream(use, 't', 0)
      const second = stream(use, 't', 20_000)
      if (gone) second.end()
      assert.throws(() => stream(use, 't', 29_999), { code: 'invalid-ticket' })
      assert.equal(second.open, false)
      assert.throws(() => stream(use, 't', HOUR - 1), { code: 'invalid-ticket' })
      stream(use, 'another', 30_000)
    }
  })

  test('of two that have a ticket none has it for longer than one return', () => {
    // The owner comes back 3 s after each end; the thief as late as it likes.
    for (const patience of [0, 1_000, 5_000, 9_000, 11_000, 30_000]) {
      const use = new TicketUse(10_000)
      let now = 0
      stream(use, 't', now)
      let rounds = 0
      assert.throws(
        () => {
          for (; rounds < 5; rounds++) {
            now += patience
            stream(use, 't', now)
            now += 3_000
            stream(use, 't', now)
          }
        },
        { code: 'invalid-ticket' },
      )
      assert.equal(rounds, 0)
    }
  })

  test('of void tickets 100,000 are remembered, and the oldest is forgotten before a younger one', () => {
    const use = new TicketUse(10_000)
    for (let n = 0; n <= 100_000; n++) use.cancel(`t${n}`, HOUR, 0)
    assert.throws(() => use.admit('t1', HOUR, 1), { code: 'invalid-ticket' })
    assert.throws(() => use.admit('t100000', HOUR, 1), { code: 'invalid-ticket' })
    use.admit('t0', HOUR, 1)
  })
})
