// A stranger's TypeScript, compiled strictly against the packed packages.
import { readEventStream, type StreamEvent } from '@downlink/client'
import { encodeEvent, type Page, parsePage } from '@downlink/wire'

export async function firstEvent(url: string): Promise<StreamEvent | undefined> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream' } })
  for await (const event of readEventStream(response.body, { maxEventSize: 1024 })) return event
  return undefined
}
export const page: Page = parsePage('{"events":[],"cursor":"e-0","more":false,"retry":1000}')
export const block: string = encodeEvent({ data: 'x' })
// @ts-expect-error -- data is not optional
encodeEvent({ id: 'e-1' })
