/** What each runtime runs: reads ten events over each transport, ends, and leaves nothing that keeps the process alive. */
import { subscribe, type SubscribeOptions, type Transport } from '@downlink/client'

/** @returns a line for each transport */
export async function smoke(hub: string, options: SubscribeOptions = {}): Promise<string> {
  const lines: string[] = []
  for (const transport of ['auto', 'sse', 'long-poll', 'poll'] as const satisfies readonly (
    | Transport
    | 'auto'
  )[]) {
    const seen: string[] = []
    const updates = subscribe(`${hub}/channels/numbers`, {
      ...options,
      after: 'start',
      transport,
      parse: 'json',
    })
    for await (const { data } of updates) {
      seen.push(data)
      if (seen.length === 10) break
    }
    await updates.closed
    lines.push(`${transport}: ${seen.join(' ')}`)
  }
  return lines.join('\n')
}
