/**
 * Claim: who connects and never sends a request costs little, and is gone when the time for a head is over.
 *
 * 10,000 connections: half of them say nothing, the others begin a head and go on with it, a character each second.
 */
import { attackBench } from './attack.ts'

const HEAD = 'GET /channels/bench.0 HTTP/1.1\r\nHost: localhost\r\nX-Slow: 1\r\n'

export const silent = attackBench({
  name: 'silent',
  claim: '10,000 connections that never send a whole header; they are cut after 10 s.',
  rss: 300,
  connections: 10_000,
  seconds: 15,
  async begin({ attackers, count }) {
    await attackers.call.hold(count / 2, '')
    await attackers.call.hold(count / 2, HEAD, 1_000)
  },
  async outcome({ attackers, quick }) {
    const { made, open, statuses } = await attackers.call.count()
    if (!quick && open > 0) throw new Error(`${open} connections are still there after the time for a head`)
    return [
      ['connections made, still open at the end', `${made}, ${open}`],
      ['answered 408', `${statuses['408'] ?? 0}`],
    ]
  },
})
