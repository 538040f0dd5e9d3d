/** One connection of the simulated network: a sink with a buffer that fills, drains in its own time, stalls and is cut. */
import assert from 'node:assert/strict'
import type { Reader } from '../../src/delivery/reader.ts'
import type { Sink } from '../../src/delivery/sink.ts'
import { PING } from '../../src/http/websocket/frames.ts'
import type { SimulatedClock } from './clock.ts'
import type { Random } from './random.ts'

export interface Line {
  /** Bytes that wait for the network; with more the sink is full. */
  readonly capacity: number
  /** Bytes that the network takes at once, at most. */
  readonly chunk: number
  /** Milliseconds between two of them, at most. */
  readonly delayMs: number
  /** The probability that it stands still for a while, at each of them; and that it is cut. */
  readonly stall: number
  readonly cut: number
  /** Milliseconds that a stall lasts at most. */
  readonly stallMs: number
}

/** The last block and the trailer of gzip: these come after all, also on a sink that is full. */
const ENDING = 10

export class Connection implements Sink {
  /** Resolves when the client knows that the connection is over. */
  readonly over: Promise<void>
  /** Whether everything came, to a clean end. */
  whole = false
  reader: Reader | undefined
  readonly #clock: SimulatedClock
  readonly #random: Random
  readonly #line: Line
  readonly #receive: (chunk: Uint8Array) => void
  readonly #fail: (error: unknown) => void
  readonly #end: () => void
  #waiting: Uint8Array[] = []
  #bytes = 0
  #full = false
  /** Something was written though it is full. */
  #last = false
  #state: 'open' | 'ending' | 'cut' | 'over' = 'open'
  #pumping = false

  constructor(
    clock: SimulatedClock,
    random: Random,
    line: Line,
    receive: (chunk: Uint8Array) => void,
    fail: (error: unknown) => void,
  ) {
    this.#clock = clock
    this.#random = random
    this.#line = line
    this.#receive = receive
    this.#fail = fail
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.#end = resolve
  }

  write(bytes: Uint8Array): boolean {
    try {
      assert.ok(bytes.length > 0, 'nothing was written')
      const full = this.#full && (bytes.length > ENDING || this.#last)
      assert.equal(full, false, 'a full sink is not written to until it drained')
      this.#last = this.#full
      assert.ok(this.#state === 'open' || this.#state === 'cut', 'nothing is written after the end')
    } catch (error) {
      this.#fail(error)
    }
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
    this.#pump()
    this.#full = this.#bytes > this.#line.capacity
    return !this.#full
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ending'
    this.#pump()
  }

  abort(): void {
    if (this.#state !== 'over') this.#finish()
  }

  /** The client hangs up, or somebody between the two does: the client gets some of what is under way, the hub hears of it later. */
  cut(): void {
    if (this.#state === 'cut' || this.#state === 'over') return
    const ended = this.#state === 'ending'
    this.#deliver(this.#random.int(0, this.#bytes))
    this.#finish()
    if (ended) return
    this.#state = 'cut'
    this.#clock.after(this.#random.int(0, 2 * this.#line.delayMs), () => {
      this.#state = 'over'
      this.reader?.closed()
    })
  }

  #pump(): void {
    if (this.#pumping || this.#state === 'cut' || this.#state === 'over') return
    this.#pumping = true
    const { delayMs, stall, stallMs } = this.#line
    const wait = this.#random.chance(stall) ? stallMs : delayMs
    this.#clock.after(this.#random.int(0, wait), () => {
      this.#pumping = false
      this.#step()
    })
  }

  #step(): void {
    if (this.#state === 'cut' || this.#state === 'over') return
    if (this.#random.chance(this.#line.cut)) return this.cut()
    this.#deliver(this.#random.int(1, this.#line.chunk))
    if (this.#full && this.#bytes <= this.#line.capacity / 2) {
      this.#full = false
      this.reader?.drained()
    }
    if (this.#bytes > 0) this.#pump()
    else if (this.#state === 'ending') {
      this.whole = true
      this.#finish()
    }
  }

  #deliver(count: number): void {
    let left = count
    while (left > 0) {
      const next = this.#waiting[0]
      if (next === undefined) return
      const chunk = next.subarray(0, left)
      if (chunk.length === next.length) this.#waiting.shift()
      else this.#waiting[0] = next.subarray(chunk.length)
      this.#bytes -= chunk.length
      left -= chunk.length
      this.#receive(chunk)
    }
  }

  #finish(): void {
    this.#state = 'over'
    this.#end()
  }
}

/** One whose heartbeats are pings. */
export class MessageConnection extends Connection {
  beat(): boolean {
    return this.write(PING)
  }
}
