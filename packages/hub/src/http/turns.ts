/**
 * The requests of one HTTP/1 connection, one at a time. Node hands over pipelined requests all at once; taken up together, a
 * read could pass the publish before it (RFC 9112 9.3.2), a hundred long polls would wait on one connection, and what stands
 * behind a stream would be done though nobody can be told. A connection on which nobody pipelines pays next to nothing for it.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests that may wait on one connection. One that sends more without reading any answer is cut. */
const PIPELINE_LIMIT = 100

interface Waiting {
  readonly res: ServerResponse
  readonly come: (come: boolean) => void
}

interface Line {
  /** Of the request whose turn it is, or was last. */
  current: ServerResponse
  readonly waiting: Waiting[]
  /** The connection ends with the present answer. */
  spent: boolean
}

const lines = new WeakMap<Socket, Line>()

/**
 * Gets in line. True: it is its turn now. False: never, the connection has nothing more to tell its peer. A turn is over when
 * the answer has been handed to the connection, or the connection is gone.
 */
export function takeTurn(socket: Socket, res: ServerResponse): boolean | Promise<boolean> {
  const line = lines.get(socket)
  if (line === undefined) {
    lines.set(socket, { current: res, waiting: [], spent: false })
    return true
  }
  const { waiting } = line
  if (line.spent || socket.destroyed) return false
  if (waiting.length === 0) {
    if (isDone(line.current)) {
      line.current = res
      return true
    }
    watch(line, socket)
  }
  if (waiting.length + 2 > PIPELINE_LIMIT) socket.destroy()
  return new Promise((come) => waiting.push({ res, come }))
}

/** No request behind this one is taken up. */
export function spendLine(socket: Socket): void {
  const line = lines.get(socket)
  if (line) line.spent = true
}

/** Nothing is kept of a connection on which nothing is under way. False: something is, or it takes no more. */
export function leaveLine(socket: Socket): boolean {
  const line = lines.get(socket)
  if (line === undefined) return true
  if (line.spent || line.waiting.length > 0 || !isDone(line.current)) return false
  return lines.delete(socket)
}

/** What can be told to a connection whose bytes are no request any more. */
export type Interruption =
  /** Nothing is under way. */
  | 'between'
  /** In the body of the only request under way, which is not answered yet. */
  | 'within'
  /** An answer is under way, or waits for its turn: another one now would be taken for it. */
  | 'answering'

export function interruptionOf(socket: Socket): Interruption {
  const line = lines.get(socket)
  if (line === undefined || isDone(line.current)) return 'between'
  const { current, waiting } = line
  return waiting.length > 0 || current.headersSent || current.req.complete ? 'answering' : 'within'
}

function isDone(res: ServerResponse): boolean {
  return res.writableFinished || res.closed
}

/** Only while somebody waits: to listen for the end of each answer is a good part of what a small publish costs. */
function watch(line: Line, socket: Socket): void {
  const { current, waiting } = line
  const next = (): void => {
    current.off('finish', next).off('close', next)
    socket.off('close', next)
    if (line.spent || socket.destroyed) {
      for (const { come } of waiting.splice(0)) come(false)
      return
    }
    const first = waiting.shift() as Waiting
    line.current = first.res
    if (waiting.length > 0) watch(line, socket)
    first.come(true)
  }
  current.once('finish', next).once('close', next)
  // An answer whose turn has not come does not hear of the connection's end by itself.
  socket.once('close', next)
}
