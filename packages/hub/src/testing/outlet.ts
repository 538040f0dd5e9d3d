/** What goes out on one socket: in order, later by a latency, in pieces when it is to be slow. */
import type { Socket } from 'node:net'
import type { Pace } from './fault.ts'

/** Bytes of a socket that is full, and of a slow pace: small, as the buffers of a slow line are. */
const FULL = 64 * 1024

interface Item {
  readonly bytes: Buffer
  /** Done in place of bytes. */
  readonly act: (() => void) | undefined
  /** Not before this time. */
  readonly due: number
  readonly pace: Pace | undefined
}

export interface Manner {
  readonly delayMs?: number
  readonly pace?: Pace | undefined
}

const NOTHING = Buffer.alloc(0)

export class Outlet {
  readonly #socket: Socket
  readonly #limit: number
  readonly #drained: () => void
  readonly #items: Item[] = []
  #queued = 0
  #timer: NodeJS.Timeout | undefined
  #over = false
  /** Whether whoever feeds it was told to wait. */
  #full = false
  /** The last pace put: a slow one makes the queue short. */
  #paced = false

  /**
   * @param limit bytes that wait for their time at most, before `fills` says so
   * @param drained it is not full any more
   */
  constructor(socket: Socket, limit: number, drained: () => void) {
    this.#socket = socket
    this.#limit = limit
    this.#drained = drained
    socket.on('drain', () => this.#relieve())
  }

  /** Whether whoever feeds it is to stop now, until `drained`. */
  fills(): boolean {
    this.#full = this.#isFull()
    return this.#full
  }

  put(bytes: Buffer, { delayMs = 0, pace }: Manner = {}): void {
    if (bytes.length === 0) return
    this.#paced = pace !== undefined
    this.#add({ bytes, act: undefined, due: this.#dueAfter(delayMs), pace })
  }

  /** Done when all that was put before has been written. */
  afterwards(act: () => void, { delayMs = 0 }: Manner = {}): void {
    this.#add({ bytes: NOTHING, act, due: this.#dueAfter(delayMs), pace: undefined })
  }

  /** Nothing goes out any more; what waits is forgotten. */
  stop(): void {
    this.#over = true
    this.#items.length = 0
    this.#queued = 0
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Never before what was put earlier. */
  #dueAfter(delayMs: number): number {
    return Math.max(delayMs === 0 ? 0 : performance.now() + delayMs, this.#items.at(-1)?.due ?? 0)
  }

  #add(item: Item): void {
    if (this.#over) return
    this.#items.push(item)
    this.#queued += item.bytes.length
    if (this.#timer === undefined && this.#items.length === 1) this.#work()
  }

  #work(): void {
    while (!this.#over) {
      const [item] = this.#items
      if (item === undefined) break
      const wait = item.due - performance.now()
      if (wait > 0) {
        this.#sleep(Math.ceil(wait))
        break
      }
      const size = item.pace === undefined ? item.bytes.length : pieceOf(item.bytes, item.pace)
      const rest = item.bytes.subarray(size)
      if (rest.length === 0) this.#items.shift()
      else this.#items[0] = { ...item, bytes: rest }
      this.#queued -= size
      if (item.act) item.act()
      else this.#socket.write(item.bytes.subarray(0, size))
      if (item.pace !== undefined) {
        this.#sleep(item.pace.everyMs)
        break
      }
    }
    this.#relieve()
  }

  /** A break of 0 is a turn of the event loop all the same: what comes after it is another write. */
  #sleep(ms: number): void {
    if (this.#over) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#work()
    }, ms)
  }

  #isFull(): boolean {
    return this.#socket.writableLength > FULL || this.#queued > (this.#paced ? FULL : this.#limit)
  }

  #relieve(): void {
    if (!this.#full || this.#isFull()) return
    this.#full = false
    this.#drained()
  }
}

/** How many of the bytes are the next write. */
export function pieceOf(bytes: Buffer, { pieces }: Pace): number {
  if (pieces !== 'utf-8') return pieces.bytes
  // The first byte of a character of several.
  const first = bytes.findIndex((byte) => byte >= 0xc0)
  return first < 0 ? bytes.length : first + 1
}
