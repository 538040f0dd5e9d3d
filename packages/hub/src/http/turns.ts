/**
 * The requests of one HTTP/1 connection, one at a time. Node hands over pipelined requests all at once; taken up together, a
 * read could pass the publish before it (RFC 9112 9.3.2), a hundred long polls would wait on one connection, and what stands
 * behind a stream would be done though nobody can be told.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests that may wait on one connection. One that sends more without reading any answer is cut. */
const PIPELINE_LIMIT = 100

interface Line {
  /** Ends all turns with the connection. */
  readonly abandon: () => void
  /** Requests that came and are not done with, by their answer, in order. */
  readonly open: Map<ServerResponse, () => void>
  /** Resolves when the last of them is done with. */
  last: Promise<void>
  /** The connection ends with the present answer. */
  spent: boolean
}

const lines = new WeakMap<Socket, Line>()

export interface Turn {
  /** False when the connection has nothing more to tell its peer. */
  readonly come: Promise<boolean>
  /** No request behind this one is taken up. */
  spend(): void
}

/** Gets in line. The turn is over when the answer has been handed to the connection, or the connection is gone. */
export function takeTurn(socket: Socket, res: ServerResponse): Turn {
  const line = lines.get(socket) ?? openLine(socket)
  const { last } = line
  line.last = new Promise((resolve) => {
    const done = (): void => {
      line.open.delete(res)
      resolve()
    }
    line.open.set(res, done)
    res.once('finish', done).once('close', done)
  })
  if (line.open.size > PIPELINE_LIMIT) socket.destroy()
  return {
    come: last.then(() => !line.spent && !socket.destroyed),
    spend: () => {
      line.spent = true
    },
  }
}

function openLine(socket: Socket): Line {
  const abandon = (): void => {
    for (const done of line.open.values()) done()
  }
  const line: Line = { open: new Map(), last: Promise.resolve(), spent: false, abandon }
  lines.set(socket, line)
  // An answer whose turn has not come does not hear of the connection's end by itself.
  socket.once('close', abandon)
  return line
}

/** Nothing is kept of a connection on which nothing is under way. False: something is, or it takes no more. */
export function leaveLine(socket: Socket): boolean {
  const line = lines.get(socket)
  if (line === undefined) return true
  if (line.open.size > 0 || line.spent) return false
  lines.delete(socket)
  socket.off('close', line.abandon)
  return true
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
  const [first, second] = lines.get(socket)?.open.keys() ?? []
  if (first === undefined) return 'between'
  return second !== undefined || first.headersSent || first.req.complete ? 'answering' : 'within'
}
