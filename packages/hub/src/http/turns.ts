/**
 * The requests of one HTTP/1 connection, one at a time. Node hands over pipelined requests all at once; taken up together, a
 * read could pass the publish before it (RFC 9112 9.3.2), a hundred long polls would wait on one connection, and what stands
 * behind a stream would be done though nobody can be told.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** More requests than this wait for their turn only if they came in one packet: nothing further is read from the connection. */
const PATIENCE = 16

interface Queue {
  /** Resolves when the last request that came is done with. */
  last: Promise<void>
  /** Requests that came and are not done with. */
  readonly open: Set<ServerResponse>
  /** The connection ends with the present answer. */
  spent: boolean
}

const queues = new WeakMap<Socket, Queue>()

export interface Turn {
  /** False when the connection has nothing more to tell its peer. */
  readonly come: Promise<boolean>
  /** No request behind this one is taken up. */
  spend(): void
}

/** Gets in line. The turn is over when the answer has been handed to the connection, or the connection is gone. */
export function takeTurn(socket: Socket, res: ServerResponse): Turn {
  const queue = queueOf(socket)
  const { last } = queue
  queue.open.add(res)
  queue.last = new Promise((resolve) => {
    const done = (): void => {
      queue.open.delete(res)
      socket.off('close', done)
      resolve()
    }
    // An answer whose turn has not come does not hear of the connection's end.
    socket.once('close', done)
    res.once('finish', done).once('close', done)
  })
  if (queue.open.size > PATIENCE) socket.pause()
  return {
    come: last.then(() => {
      if (queue.open.size <= PATIENCE && socket.isPaused()) socket.resume()
      return !queue.spent && !socket.destroyed
    }),
    spend: () => {
      queue.spent = true
    },
  }
}

function queueOf(socket: Socket): Queue {
  let queue = queues.get(socket)
  if (queue === undefined) {
    queue = { last: Promise.resolve(), open: new Set(), spent: false }
    queues.set(socket, queue)
  }
  return queue
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
  const [first, second] = queues.get(socket)?.open ?? []
  if (first === undefined) return 'between'
  return second !== undefined || first.headersSent || first.req.complete ? 'answering' : 'within'
}
