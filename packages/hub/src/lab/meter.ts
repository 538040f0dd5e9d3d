/**
 * Counts what readers of one channel cost at the hub's sockets, by technique: the meter of the Lab. By request, not by connection, as a
 * browser's connection carries other requests too.
 *
 * What goes out is told by the sockets' own counters (`bytesWritten`) before an answer and after it; of a stream that is open, whenever
 * somebody asks. Where a head ends is told by those who write it. Through TLS these counters count what is within it, not its records.
 * HTTP/2 packs heads with what it remembers of those before them, and joins its streams into frames: of it only bodies are counted.
 */
import type { IncomingMessage } from 'node:http'
import type { Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Sink } from '../delivery/sink.ts'
import { startOf } from '../delivery/start.ts'
import type { HttpRequest, OpenStream, WholeAnswer } from '../http/message.ts'
import type { Hub } from '../hub.ts'
import { ChannelSet } from '../log/channel-set.ts'
import type { Position, Tail } from '../log/log.ts'
import { askedOf, bodySize, headSize, readsChannel } from './asked.ts'
import { CountingSink } from './counting-sink.ts'
import { type Counts, Counter, type Outcome } from './counts.ts'
import { type Technique, TECHNIQUES } from './report.ts'

export type { Counts } from './counts.ts'

/** For the Lab. */
export interface Meter {
  /** Counts from zero what reads this channel from now on. One run at a time. */
  start(channel: string): void
  /** Of techniques that were used. After `stop` what was counted until then. */
  report(): Partial<Record<Technique, Counts>>
  /** Idempotent. */
  stop(): void
}

/** A request of HTTP/1 that is answered on its socket, or a stream of HTTP/2. */
type Line = Socket | H2Line

interface H2Line {
  readonly session: Http2Session | undefined
}

/** A request that is under way. */
interface Exchange {
  readonly technique: Technique
  readonly line: Line
  /** Of the socket when it came. */
  readonly writtenBefore: number
  readonly readBefore: number
  /** Of a HEAD. */
  readonly bodiless: boolean
  /** Position behind which its events begin. */
  readonly after: Position
  /** Of a stream, or of what goes both ways: since its head. */
  open: Open | undefined
}

interface Open {
  /** Bytes. */
  readonly head: number
  /** Undefined: refused in the moment it was opened. */
  readonly reader: { readonly position?: Position } | undefined
  /** HTTP/2. */
  readonly sink: CountingSink | undefined
}

/** Positions of events that are remembered, to tell which streams had none: more than a run has. */
const MOST_EVENTS = 100_000

export class HubMeter implements Meter {
  readonly #hub: Hub
  #run: Run | undefined
  #last: Partial<Record<Technique, Counts>> = {}

  constructor(hub: Hub) {
    this.#hub = hub
  }

  start(channel: string): void {
    this.stop()
    this.#run = new Run(this.#hub, channel)
  }

  report(): Partial<Record<Technique, Counts>> {
    return this.#run?.report() ?? this.#last
  }

  stop(): void {
    if (this.#run === undefined) return
    this.#last = this.#run.report()
    this.#run.close()
    this.#run = undefined
  }

  // What follows is called by those who answer, of each request, and does nothing but when a run is on.

  /**
   * A request of HTTP/1 has its turn on this socket, and nothing of its answer has been written.
   *
   * @param behind Bytes that have been read and do not belong to it.
   */
  begin(socket: Socket, request: HttpRequest, behind = 0): void {
    this.#run?.begin(socket, request, behind)
  }

  /** Bytes of its answer, so far. */
  writtenOn(socket: Socket): number {
    return this.#run?.writtenOn(socket) ?? 0
  }

  /** All of an answer has been handed to the socket. */
  whole(socket: Socket, answer: WholeAnswer): void {
    this.#run?.whole(socket, answer)
  }

  /** @param head Bytes. @param reader Undefined: it was refused while it was opened. */
  stream(socket: Socket, head: number, reader: OpenStream | undefined): void {
    this.#run?.stream(socket, { head, reader, sink: undefined })
  }

  /** The last of a stream has been handed to the socket, which may be used again. */
  ended(socket: Socket): void {
    this.#run?.ended(socket)
  }

  beginH2(line: H2Line, request: HttpRequest): void {
    this.#run?.begin(line, request)
  }

  wholeH2(line: H2Line, answer: WholeAnswer, body: number): void {
    this.#run?.whole(line, answer, body)
  }

  /** @returns What a stream of HTTP/2 is to be written to. */
  sinkH2(line: H2Line, sink: Sink): Sink {
    return this.#run?.sinkFor(line, sink) ?? sink
  }

  streamH2(line: H2Line, sink: Sink, reader: OpenStream | undefined): void {
    if (sink instanceof CountingSink) this.#run?.stream(line, { head: 0, reader, sink })
  }

  endedH2(line: H2Line): void {
    this.#run?.settle(line)
  }
}

class Run {
  readonly #hub: Hub
  readonly #channel: string
  readonly #counters = new Map<Technique, Counter>()
  readonly #exchanges = new Map<Line, Exchange>()
  /** Which technique a connection of HTTP/1 was last used for; one of HTTP/2 is used for all at a time. */
  readonly #connections = new Map<object, Technique | 'all'>()
  readonly #closers = new Map<object, () => void>()
  /** Of the channel's events, ascending. */
  readonly #events: Position[] = []
  readonly #tail: Tail

  constructor(hub: Hub, channel: string) {
    this.#hub = hub
    this.#channel = channel
    for (const technique of TECHNIQUES) this.#counters.set(technique, new Counter())
    this.#tail = hub.log.tail({
      batch: ({ records }) => {
        for (const record of records) {
          if (record.kind !== 'event' || record.channel !== channel) continue
          if (this.#events.length < MOST_EVENTS) this.#events.push(record.position)
        }
      },
      lost: () => {},
    })
    this.#tail.follow(new ChannelSet([channel])).catch((error: unknown) => hub.delivery.report(error))
  }

  close(): void {
    this.#tail.close()
    for (const [connection, closed] of this.#closers) (connection as Socket).off('close', closed)
  }

  report(): Partial<Record<Technique, Counts>> {
    const open = new Map(TECHNIQUES.map((technique) => [technique, { head: 0, body: 0, received: 0 }]))
    for (const exchange of this.#exchanges.values()) {
      const sum = open.get(exchange.technique)
      const bytes = bytesOf(exchange)
      if (sum === undefined || bytes === undefined) continue
      sum.head += bytes.head
      sum.body += bytes.body
      sum.received += bytes.received
    }
    const reports: Partial<Record<Technique, Counts>> = {}
    for (const [technique, counter] of this.#counters) {
      if (counter.used) reports[technique] = counter.report(open.get(technique) ?? NOTHING)
    }
    return reports
  }

  begin(line: Line, request: HttpRequest, behind = 0): void {
    this.settle(line)
    if (!readsChannel(request, this.#channel)) return
    const { technique, origin } = askedOf(request, this.#hub.limits)
    const counter = this.#of(technique)
    counter.requests++
    const { raw } = request
    if (isSocket(line)) {
      counter.in.head += headSize(raw as IncomingMessage)
      counter.in.body += bodySize(raw as IncomingMessage)
      this.#connect(line, technique)
    } else {
      counter.overHttp2++
      if (line.session) this.#connect(line.session, technique, 'all')
    }
    const start = origin && startOf(origin, this.#hub.log.state())
    this.#exchanges.set(line, {
      technique,
      line,
      writtenBefore: isSocket(line) ? line.bytesWritten : 0,
      readBefore: isSocket(line) ? line.bytesRead - behind : 0,
      bodiless: request.method === 'HEAD',
      // The last so many events: any there are.
      after: start?.last === undefined ? (start?.position ?? 0) : 0,
      open: undefined,
    })
  }

  writtenOn(socket: Socket): number {
    const exchange = this.#exchanges.get(socket)
    return exchange ? socket.bytesWritten - exchange.writtenBefore : 0
  }

  /** @param length Of its body, when the line can't tell. */
  whole(line: Line, answer: WholeAnswer, length?: number): void {
    const exchange = this.#exchanges.get(line)
    if (exchange === undefined || exchange.open) return
    this.#exchanges.delete(line)
    const { in: _, out } = this.#of(exchange.technique)
    if (isSocket(line)) {
      const written = line.bytesWritten - exchange.writtenBefore
      // The client was gone.
      if (written === 0) return
      const body = exchange.bodiless ? 0 : Math.min(written, bodyLength(answer))
      out.head += written - body
      out.body += body
    } else out.body += length ?? 0
    this.#of(exchange.technique).settle(outcomeOf(answer))
  }

  stream(line: Line, open: Open): void {
    const exchange = this.#exchanges.get(line)
    if (exchange) exchange.open = open
  }

  sinkFor(line: Line, sink: Sink): Sink | undefined {
    return this.#exchanges.has(line) ? new CountingSink(sink) : undefined
  }

  ended(line: Line): void {
    // One that is refused while it is opened ends before that is told.
    if (this.#exchanges.get(line)?.open) this.settle(line)
  }

  /** Nothing more belongs to the answer that was under way here. */
  settle(line: Line): void {
    const exchange = this.#exchanges.get(line)
    if (exchange === undefined) return
    this.#exchanges.delete(line)
    const bytes = bytesOf(exchange)
    if (bytes === undefined) return
    const counter = this.#of(exchange.technique)
    counter.out.head += bytes.head
    counter.out.body += bytes.body
    counter.in.body += bytes.received
    counter.settle(this.#outcomeOf(exchange))
  }

  #outcomeOf({ after, open }: Exchange): Outcome {
    if (open === undefined) return 'lost'
    if (open.reader === undefined) return 'refused'
    const first = firstAfter(this.#events, after)
    return first !== undefined && first <= (open.reader.position ?? 0) ? 'filled' : 'empty'
  }

  #connect(
    connection: Socket | Http2Session,
    technique: Technique,
    kind: Technique | 'all' = technique,
  ): void {
    const before = this.#connections.get(connection)
    if (before !== 'all' && before !== undefined && before !== kind) this.#of(before).disconnect(connection)
    this.#of(technique).connect(connection)
    this.#connections.set(connection, kind)
    if (before !== undefined) return
    const closed = (): void => {
      this.#closers.delete(connection)
      this.#connections.delete(connection)
      for (const counter of this.#counters.values()) counter.disconnect(connection)
      if (isSocket(connection)) this.settle(connection)
    }
    this.#closers.set(connection, closed)
    connection.once('close', closed)
  }

  #of(technique: Technique): Counter {
    return this.#counters.get(technique) as Counter
  }
}

const NOTHING = { head: 0, body: 0, received: 0 }

/** Of what is under way, so far. */
function bytesOf({ technique, line, writtenBefore, readBefore, open }: Exchange): typeof NOTHING | undefined {
  if (open === undefined) return undefined
  if (open.sink) return { head: 0, body: open.sink.bytes, received: 0 }
  if (!isSocket(line)) return undefined
  const written = line.bytesWritten - writtenBefore
  const head = Math.min(open.head, written)
  // Who reads a stream has nothing more to say.
  const received = technique === 'websocket' ? line.bytesRead - readBefore : 0
  return { head, body: written - head, received }
}

/** @param positions Ascending. */
function firstAfter(positions: readonly Position[], position: Position): Position | undefined {
  let low = 0
  let high = positions.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((positions[middle] as Position) > position) high = middle
    else low = middle + 1
  }
  return positions[low]
}

function isSocket(line: object): line is Socket {
  return 'bytesWritten' in line
}

function bodyLength({ body }: WholeAnswer): number {
  return body === undefined ? 0 : Buffer.byteLength(body)
}

function outcomeOf({ status, headers, events }: WholeAnswer): Outcome {
  // A stream that says when to come back, and ends.
  if (status >= 400 || (status === 200 && headers['content-type'] === 'text/event-stream')) return 'refused'
  return status === 304 || status === 204 || events === 0 ? 'empty' : 'filled'
}
