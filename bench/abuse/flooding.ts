/**
 * Claim: a publisher that publishes far more than it may does not slow the readers of other channels.
 *
 * 10,000 publishes a second, one event each, from one address, which may publish 1,000. They are pipelined over eight connections, to
 * a channel that the normal readers do not read.
 */
import { figure } from '../report/words.ts'
import { attackBench } from './attack.ts'
import { saidOf } from './reconnecting.ts'

const RATE = 10_000
const SECONDS = 15
const DATA = 'x'.repeat(200)
const REQUEST =
  `POST /channels/flood HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n` +
  `Content-Length: ${DATA.length}\r\n\r\n${DATA}`

export const flooding = attackBench({
  name: 'flooding',
  claim: 'A publisher at ten times its rate: 10,000 publishes a second.',
  rss: 400,
  connections: 8,
  addresses: ['127.0.0.2'],
  seconds: SECONDS,
  begin: ({ attackers, count, quick }) =>
    attackers.call.flood(Math.max(count, 4), REQUEST, quick ? RATE / 10 : RATE),
  async outcome({ attackers, quick }) {
    const { statuses, closed } = await attackers.call.count()
    const taken = statuses['200'] ?? 0
    // A burst of two seconds, and a second more for the time in which it is asked.
    if (!quick && taken > 1_000 * (SECONDS + 3))
      throw new Error(`${taken} publishes were taken: no limit at all`)
    const answered = Object.values(statuses).reduce((sum, times) => sum + times, 0)
    return [
      ['publishes answered', `${answered}, ${figure(answered / (quick ? 3 : SECONDS))} a second`],
      ['answers', saidOf(statuses)],
      ['connections that the hub closed', `${closed}`],
    ]
  },
})
