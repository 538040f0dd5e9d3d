/** What each runtime runs: reads ten events over each transport, ends, and leaves nothing that keeps the process alive. */
import { subscribe, type Transport } from '@downlink/client'

declare const URL_OF_HUB: string

for (const transport of ['auto', 'sse', 'long-poll', 'poll'] as const satisfies readonly (
  | Transport
  | 'auto'
)[]) {
  const seen: string[] = []
  const updates = subscribe(`${URL_OF_HUB}/channels/numbers`, { after: 'start', transport, parse: 'json' })
  for await (const { data } of updates) {
    seen.push(data)
    if (seen.length === 10) break
  }
  await updates.closed
  // oxlint-disable-next-line no-console -- the test reads it
  console.log(`${transport}: ${seen.join(' ')}`)
}
