/** A long poll on a raw socket of its own. */
import { connect } from 'node:net'
import { Answers, bodyOf } from './answers.ts'

export interface LongPoll {
  /** The request is on its way. */
  readonly asked: Promise<void>
  /** It was answered `200`, with a body that contains what was expected. */
  readonly done: Promise<void>
}

export function longPoll(
  to: { readonly port: number; readonly host: string },
  request: string,
  expect: string,
): LongPoll {
  const socket = connect(to)
  const answers = new Answers()
  const asked = new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.on('connect', () => socket.write(request, () => resolve()))
  })
  const done = new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('a long poll was cut')))
    socket.on('data', (bytes) => {
      const [answer] = answers.feed(bytes)
      if (answer === undefined) return
      const body = bodyOf(answer)
      if (answer.status === 200 && body.includes(expect)) resolve()
      else reject(new Error(`a long poll was answered ${answer.status}: ${body.slice(0, 200)}`))
      socket.resetAndDestroy()
    })
  })
  return { asked, done }
}
