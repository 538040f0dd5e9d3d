/** Reads by `subscribe()`, and tells people what they should know of it. */
import { subscribe, type SubscribeError } from '@downlink/client'
import { FIRST_WAIT_MS } from './backoff.ts'
import { Failure, reasonOf } from './failure.ts'
import { Outage } from './outage.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import type { TailItem, TailRequest } from './tail-item.ts'

/** Items that may wait to be printed; from there on reading stops. */
const MOST = 1_000

/**
 * All that comes, until nothing more can come, or `print` says that nobody wants it any more: then it resolves.
 *
 * @param tell What people should know: that the hub is away, that it is back
 * @param print Is given what has come, in order, and is asked again when it has done with it
 * @throws {Failure} when the hub refuses for good
 * @throws what `print` throws
 */
export async function tailItems(
  { hub, channels, start, transport, headers }: TailRequest,
  tell: (line: string) => void,
  print: (items: readonly TailItem[]) => Promise<boolean>,
): Promise<void> {
  const outage = new Outage(tell)
  const answers = new Answers(hub)
  const updates = subscribe(`${hub}/channels/${channels.join(',')}`, {
    ...start,
    transport,
    hub: true,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    fetch: answers.fetch,
    // A hub that has answered is there: what it says of waiting counts from then on, and failures begin anew.
    limits: { healthyMs: 0, retryMs: FIRST_WAIT_MS },
  })

  let items: TailItem[] = []
  let printing: Promise<void> | undefined
  let broken: { readonly by: unknown } | undefined
  async function flush(): Promise<void> {
    // What came in one piece is printed in one.
    await new Promise(setImmediate)
    try {
      while (items.length > 0) {
        const come = items
        items = []
        if (!(await print(come))) updates.close()
      }
    } catch (by) {
      broken = { by }
      updates.close()
    }
    printing = undefined
  }
  function push(item: TailItem): Promise<void> | undefined {
    items.push(item)
    printing ??= flush()
    return items.length >= MOST ? printing : undefined
  }

  let open = false
  updates.on('state', ({ phase, error }) => {
    if (phase === 'open' || phase === 'ended') {
      open = true
      outage.worked()
    } else if (phase === 'waiting') {
      // A stream that has worked and ends is nothing to tell: streams have an age, hubs are restarted.
      if (error?.status || !open)
        outage.failed(error ? answers.said(error) : `The hub at ${hub} hangs up at once`)
      open = false
    }
  })
  updates.on('gap', ({ reason, channels: lost, to }) =>
    push({ kind: 'gap', reason, channels: lost.length > 0 ? lost : channels, to }),
  )
  updates.on('end', ({ channel }) => push({ kind: 'end', channel }))
  updates.on('event', ({ time = '', ...event }) => push({ kind: 'event', event: { ...event, time } }))

  await updates.closed
  await printing
  if (broken) throw broken.by
  const { error } = updates.state
  if (error) throw new Failure(answers.said(error), { cause: error })
}

/** Looks at the answers as they come, since people are told more of them than a subscription tells. */
class Answers {
  readonly #hub: string
  #refusal: Refusal | undefined
  #type = ''

  constructor(hub: string) {
    this.#hub = hub
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(url, init)
    this.#type = /^[^;\s]*/.exec(response.headers.get('content-type') ?? '')?.[0].toLowerCase() ?? ''
    if (!response.ok) this.#refusal = await refusalOf(response.clone(), Date.now())
    return response
  }

  /** In a line, why the last attempt failed. */
  said(error: SubscribeError): string {
    switch (error.code) {
      case 'refused':
        return this.#refusal?.text ?? error.message
      case 'not-a-stream':
        return `What answers at ${this.#hub} is no hub: it sent ${this.#type || 'nothing that it names'}`
      case 'event-too-large':
        return `The stream can't be read on: ${error.message}`
      case 'silent':
        return `No hub answers at ${this.#hub} (nothing was heard for too long)`
      default:
        return `No hub answers at ${this.#hub} (${reasonOf(error.cause ?? error)})`
    }
  }
}
