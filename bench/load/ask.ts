/** One request on a connection of its own. */
import { connect } from 'node:net'
import { Answers, bodyOf } from './answers.ts'

export interface Asked {
  readonly status: number
  readonly head: string
  readonly body: string
}

export function ask(to: { readonly port: number; readonly host: string }, request: string): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const answers = new Answers()
    const socket = connect(to)
    socket.on('connect', () => socket.write(request))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the connection was closed without an answer')))
    socket.on('data', (bytes) => {
      const [first] = answers.feed(bytes)
      if (first === undefined) return
      resolve({ status: first.status, head: first.head, body: bodyOf(first) })
      socket.destroy()
    })
  })
}
