/** What makes small requests cheap: turns, the outbox, remembered texts, deadlines; and which coding is wanted. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Deadlines } from '../src/http/deadlines.ts'
import { codingFor } from '../src/http/encoding.ts'
import { Memo } from '../src/http/memo.ts'
import { Outbox } from '../src/http/outbox.ts'
import { interruptionOf, leaveLine, spendLine, takeTurn } from '../src/http/turns.ts'
import { settled } from './simulation/clock.ts'

describe('the outbox', () => {
  test('sends at the end of the turn, in order, and once', async () => {
    const outbox = new Outbox()
    const sent: number[] = []
    for (let n = 1; n <= 3; n++) outbox.push(() => void sent.push(n))
    await Promise.resolve()
    assert.deepEqual(sent, [])
    await settled()
    assert.deepEqual(sent, [1, 2, 3])
    await settled()
    assert.deepEqual(sent, [1, 2, 3])
  })

  test('what is pushed while it sends goes with the next turn', async () => {
    const outbox = new Outbox()
    const sent: string[] = []
    outbox.push(() => {
      sent.push('first')
      outbox.push(() => void sent.push('second'))
    })
    await settled()
    assert.deepEqual(sent, ['first'])
    await settled()
    assert.deepEqual(sent, ['first', 'second'])
  })
})

describe('remembered texts', () => {
  test('are made once', () => {
    const memo = new Memo<object>()
    const made = memo.get('a', () => ({}))
    assert.equal(
      memo.get('a', () => ({})),
      made,
    )
    assert.notEqual(
      memo.get('b', () => ({})),
      made,
    )
  })

  test('are not remembered when they were refused, or are longer than 400', () => {
    const memo = new Memo<number>()
    const refuse = (): number => {
      throw new Error('refused')
    }
    assert.throws(() => memo.get('a', refuse), /refused/)
    assert.equal(
      memo.get('a', () => 1),
      1,
    )
    for (const [length, second] of [
      [400, 1],
      [401, 2],
    ] as const) {
      const text = 'x'.repeat(length)
      memo.get(text, () => 1)
      assert.equal(
        memo.get(text, () => 2),
        second,
      )
    }
  })

  test('are forgotten beyond a thousand', () => {
    const memo = new Memo<number>()
    for (let n = 0; n < 1_000; n++) memo.get(`${n}`, () => 1)
    assert.equal(
      memo.get('0', () => 2),
      1,
    )
    memo.get('1000', () => 1)
    assert.equal(
      memo.get('0', () => 2),
      2,
    )
  })
})

describe('deadlines', () => {
  test('none expires before its time, and none more than an eighth after it', (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] })
    const deadlines = new Deadlines(800)
    let now = 0
    const waits: number[] = []
    for (; now < 3_000; now += 10) {
      const begun = now
      if (now % 70 === 0 && now < 1_500) deadlines.add(() => waits.push(now - begun))
      context.mock.timers.tick(10)
    }
    assert.equal(waits.length, 22)
    for (const wait of waits) assert.ok(wait >= 790 && wait <= 900, `${wait} ms`)
  })

  test('one timer serves all, and none is left when nobody waits', (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] })
    let timers = 0
    const { setInterval: set, clearInterval: clear } = globalThis
    context.mock.method(globalThis, 'setInterval', (...args: Parameters<typeof set>) => {
      timers++
      return set(...args)
    })
    context.mock.method(globalThis, 'clearInterval', (timer: NodeJS.Timeout) => {
      timers--
      clear(timer)
    })
    const deadlines = new Deadlines(80)
    const waits = Array.from({ length: 100 }, () => (): void => assert.fail('it was deleted'))
    for (const wait of waits) deadlines.add(wait)
    assert.equal(timers, 1)
    for (const wait of waits) deadlines.delete(wait)
    context.mock.timers.tick(10)
    assert.equal(timers, 0)
  })
})

describe('turns', () => {
  /** What turns know of a response. */
  class Res extends EventEmitter {
    writableFinished = false
    closed = false
    headersSent = false
    readonly req = { complete: true }

    finish(): void {
      this.writableFinished = true
      this.emit('finish')
    }
  }
  class Line extends EventEmitter {
    destroyed = false
    readonly all: Res[] = []
    readonly come: string[] = []

    destroy(): void {
      this.destroyed = true
      for (const res of this.all) res.closed = true
      queueMicrotask(() => this.emit('close'))
    }

    ask(): Res {
      const res = new Res()
      const name = `${this.all.push(res)}`
      const turn = takeTurn(this as unknown as Socket, res as unknown as ServerResponse)
      if (typeof turn === 'boolean') this.come.push(`${name} ${turn}`)
      else void turn.then((come) => this.come.push(`${name} later ${come}`))
      return res
    }
  }

  test('one after the other, each as soon as the answer before it is done', async () => {
    const line = new Line()
    const responses = [line.ask(), line.ask(), line.ask()]
    await settled()
    assert.deepEqual(line.come, ['1 true'])
    responses[0]!.finish()
    await settled()
    assert.deepEqual(line.come, ['1 true', '2 later true'])
    responses[1]!.finish()
    responses[2]!.finish()
    await settled()
    line.ask()
    assert.deepEqual(line.come, ['1 true', '2 later true', '3 later true', '4 true'])
  })

  test('a connection on which nobody pipelines has no listeners', () => {
    const line = new Line()
    for (let count = 0; count < 3; count++) line.ask().finish()
    assert.equal(line.eventNames().length + line.all.flatMap((res) => res.eventNames()).length, 0)
  })

  test('none is left when all have had their turn', async () => {
    const line = new Line()
    for (const res of [line.ask(), line.ask(), line.ask(), line.ask()]) {
      res.finish()
      await settled()
    }
    assert.equal(line.eventNames().length + line.all.flatMap((res) => res.eventNames()).length, 0)
    assert.equal(line.come.length, 4)
  })

  test('who waits on a connection that closes, or is spent, never comes', async () => {
    const closing = new Line()
    closing.ask()
    closing.ask()
    closing.ask()
    closing.destroy()
    await settled()
    closing.ask()
    assert.deepEqual(closing.come, ['1 true', '2 later false', '3 later false', '4 false'])
    const spent = new Line()
    const first = spent.ask()
    spent.ask()
    spendLine(spent as unknown as Socket)
    first.finish()
    await settled()
    spent.ask()
    assert.deepEqual(spent.come, ['1 true', '2 later false', '3 false'])
  })

  test('the hundredth that is under way is let wait, the one after it cuts the connection', async () => {
    const line = new Line()
    for (let count = 0; count < 100; count++) line.ask()
    assert.equal(line.destroyed, false)
    line.ask()
    assert.equal(line.destroyed, true)
    await settled()
    assert.equal(line.come.filter((one) => one.endsWith('later false')).length, 100)
  })

  test('a line is left when nothing is under way on it', async () => {
    const line = new Line()
    const socket = line as unknown as Socket
    assert.equal(leaveLine(socket), true)
    const [first, second] = [line.ask(), line.ask()]
    assert.equal(leaveLine(socket), false)
    first.finish()
    await settled()
    assert.equal(leaveLine(socket), false)
    second.finish()
    assert.equal(leaveLine(socket), true)
    line.ask()
    spendLine(socket)
    line.all.at(-1)!.finish()
    assert.equal(leaveLine(socket), false, 'spent')
  })

  test('what can be told in between depends on what is under way', () => {
    const line = new Line()
    const socket = line as unknown as Socket
    assert.equal(interruptionOf(socket), 'between')
    const first = line.ask()
    first.req.complete = false
    assert.equal(interruptionOf(socket), 'within')
    first.headersSent = true
    assert.equal(interruptionOf(socket), 'answering')
    first.headersSent = false
    line.ask()
    assert.equal(interruptionOf(socket), 'answering')
    const quick = new Line()
    quick.ask().finish()
    assert.equal(interruptionOf(quick as unknown as Socket), 'between')
  })
})

describe('Accept-Encoding', () => {
  const offered = ['br', 'zstd', 'gzip'] as const
  for (const [accept, wanted] of [
    [undefined, undefined],
    ['', undefined],
    [' ', undefined],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZip ; Q=1', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['zstd, gzip', 'zstd'],
    ['br;q=0.8, gzip;q=0.9', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'zstd'],
    ['*;q=0', undefined],
    ['*;q=0, gzip', 'gzip'],
    ['deflate, compress', undefined],
    ['identity', undefined],
    ['identity, gzip', 'gzip'],
    ['identity, gzip;q=0.9', undefined],
    ['identity;q=0', undefined],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=2', undefined],
    ['gzip;q=nonsense', undefined],
    [',,gzip,,', 'gzip'],
  ] as const) {
    test(`P15.4.1 ${accept === undefined ? 'none' : JSON.stringify(accept)} wants ${wanted ?? 'no coding'}`, () => {
      assert.equal(codingFor(accept, offered), wanted)
    })
  }

  test('P15.4.1 what is chosen is offered, and never something that was refused', () => {
    const name = fc.constantFrom('br', 'zstd', 'gzip', 'identity', '*', 'deflate')
    const part = fc.tuple(name, fc.constantFrom('', ';q=0', ';q=0.001', ';q=0.5', ';q=1', ';q=-1', '; q=0.7'))
    fc.assert(
      fc.property(fc.array(part), fc.subarray([...offered]), (parts, some) => {
        const chosen = codingFor(parts.map((one) => one.join('')).join(', '), some)
        if (chosen === undefined) return
        assert.ok(some.includes(chosen))
        const named = parts.findLast(([one]) => one === chosen) ?? parts.findLast(([one]) => one === '*')
        assert.ok(named && named[1] !== ';q=0' && named[1] !== ';q=-1')
      }),
    )
  })

  test('P15.4.1 any text is an answer', () => {
    fc.assert(fc.property(fc.string(), (text) => void codingFor(text, offered)))
  })
})
