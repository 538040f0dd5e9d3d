/**
 * Claim: who comes back as fast as it can takes what the hub has to spare, and not what the others need.
 *
 * 1,000 that connect, ask for a stream, and reset the connection: half of them once it is answered, half of them at once.
 */
import { figure } from '../report/words.ts'
import { attackBench } from './attack.ts'

export const reconnecting = attackBench({
  name: 'reconnecting',
  claim: '1,000 clients that reconnect as fast as they can, each time for a stream.',
  rss: 300,
  connections: 1_000,
  seconds: 15,
  async begin({ stage, attackers, count }) {
    await attackers.call.reconnect(count, stage.request([0]))
  },
  async outcome({ attackers, quick }) {
    const { made, statuses } = await attackers.call.count()
    return [
      ['connections made', `${made}, ${figure(made / (quick ? 3 : 15))} a second`],
      ['answers', saidOf(statuses)],
    ]
  },
})

export function saidOf(statuses: Readonly<Record<string, number>>): string {
  return (
    Object.entries(statuses)
      .map(([status, times]) => `${times} × ${status}`)
      .join(', ') || 'none'
  )
}
