/** `GET /channels`, `/healthz`, `/readyz`, `/metrics`: what there is, and how it is. */
import type { Hub } from '../hub.ts'
import type { ChannelInfo } from '../log/log.ts'
import { listedChannel } from '../ops/listed-channel.ts'
import type { Lookout } from '../ops/lookout.ts'
import type { Metrics } from '../ops/metrics.ts'
import { type Answer, type HttpRequest, json } from './message.ts'
import { Query, refuseQuery } from './query.ts'

/** Channels of a page when nobody said how many, and at most. */
const LIST = { limit: 100, most: 1000 }

/**
 * Lists the channels that `mayRead` lets through, by name. Goes on until the page is full: `next` must be the name of a channel
 * that the asker may read.
 */
export async function list(
  hub: Hub,
  request: HttpRequest,
  mayRead: (channel: string) => Promise<boolean>,
): Promise<Answer> {
  const query = new Query(request.query, ['match', 'after', 'limit'])
  const limit = query.number('limit', 1, LIST.most) ?? LIST.limit
  const match = (query.text('match') ?? '**').split(',')
  const chunk = Math.max(limit + 1, LIST.limit)
  const channels: ChannelInfo[] = []
  let after: string | undefined = query.text('after') ?? ''
  for (let chunks = 0; after !== undefined && channels.length <= limit; chunks++) {
    // Who may read few of very many channels is not to hold up everybody else.
    if (chunks > 0) await new Promise<void>((resolve) => hub.clock.defer(resolve))
    const found: readonly ChannelInfo[] = await hub.channels(match, after, chunk)
    const allowed = await Promise.all(found.map(({ name }) => mayRead(name)))
    channels.push(...found.filter((_, index) => allowed[index]))
    after = found.length < chunk ? undefined : found.at(-1)?.name
  }
  const page = channels.slice(0, limit)
  const epoch = hub.log.state().epochs[0].name
  return json(
    {
      channels: page.map((info) => listedChannel(info, epoch, hub.log.retention?.(info.name))),
      ...(channels.length > limit ? { next: page.at(-1)?.name } : {}),
    },
    { 'cache-control': 'private, no-cache' },
  )
}

const NO_STORE = { 'cache-control': 'no-store' }

/** The process answers. */
export function alive(request: HttpRequest): Answer {
  refuseQuery(request.query)
  return json({ status: 'ok' }, NO_STORE)
}

/** The hub can take in and give out. */
export async function ready(hub: Hub, request: HttpRequest): Promise<Answer> {
  refuseQuery(request.query)
  const { ok, reason } = await hub.health()
  return ok ? json({ status: 'ok' }, NO_STORE) : json({ status: 'unavailable', reason }, NO_STORE, 503)
}

/** Who reads: those that are told one by one, and how many there are besides. What changes `$hub.readers` tells, after the cursor. */
export async function readersPage(lookout: Lookout, request: HttpRequest): Promise<Answer> {
  refuseQuery(request.query)
  return json(lookout.who(), NO_STORE)
}

export async function metricsPage(metrics: Metrics, request: HttpRequest): Promise<Answer> {
  refuseQuery(request.query)
  const { type, text } = await metrics.exposition()
  return { status: 200, headers: { ...NO_STORE, 'content-type': type }, body: text }
}
