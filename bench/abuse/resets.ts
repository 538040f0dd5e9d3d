/**
 * Claim: who opens HTTP/2 streams and resets them at once, as in CVE-2023-44487, is cut before it costs much.
 *
 * 100 connections, each opens streams of the readers' channel and resets them as fast as it can, every second one when the hub has
 * begun to answer, and comes back when it is cut. The normal readers are at the same port, by HTTP/1.1.
 */
import { hub } from '../peers/hub.ts'
import { figure } from '../report/words.ts'
import { attackBench, LIMITS } from './attack.ts'

export const resets = attackBench({
  name: 'resets',
  claim: '100 HTTP/2 connections that open streams and reset them as fast as they can.',
  rss: 400,
  connections: 100,
  seconds: 15,
  peer: hub({ limits: LIMITS, h2c: true }),
  begin: ({ attackers, count }) => attackers.call.reset(count, '/channels/bench.0'),
  async outcome({ attackers, quick }) {
    const { made, closed, resets } = await attackers.call.count()
    if (resets === 0) throw new Error('no stream was reset: no attack at all')
    return [
      ['streams opened and reset', `${resets}, ${figure(resets / (quick ? 3 : 15))} a second`],
      ['connections made, and closed by the hub', `${made}, ${closed}`],
    ]
  },
})
