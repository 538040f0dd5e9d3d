/** `GET /channels`, `/healthz`, `/readyz`, `/metrics`: what there is, and how it is. */
import { formatCursor } from '@downlink/wire'
import type { Hub } from '../hub.ts'
import type { ChannelInfo } from '../log/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import { type Answer, type HttpRequest, json } from './message.ts'
import { Query, refuseQuery } from './query.ts'

/** Channels of a page when nobody said how many, and at most. */
const LIST = { limit: 100, most: 1000 }

/** Lists the channels that `mayRead` lets through, by name. */
export async function list(
  hub: Hub,
  request: HttpRequest,
  mayRead: (channel: string) => Promise<boolean>,
): Promise<Answer> {
  const query = new Query(request.query, ['match', 'after', 'limit'])
  const limit = query.number('limit', 1, LIST.most) ?? LIST.limit
  const found = await hub.channels((query.text('match') ?? '**').split(','), query.text('after') ?? '', limit)
  const allowed = await Promise.all(found.map(({ name }) => mayRead(name)))
  const epoch = hub.log.state().epochs[0].name
  const last = found.at(-1)
  return json(
    {
      channels: found.filter((_, index) => allowed[index]).map((info) => wireInfo(info, epoch)),
      ...(found.length === limit && last ? { next: last.name } : {}),
    },
    { 'cache-control': 'private, no-cache' },
  )
}

function wireInfo({ name, head, oldest, events, bytes, ended }: ChannelInfo, epoch: string): object {
  const cursor = (position: number): string => formatCursor({ epoch, position })
  return { name, head: cursor(head), ...(oldest ? { oldest: cursor(oldest) } : {}), events, bytes, ended }
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

export async function metricsPage(metrics: Metrics, request: HttpRequest): Promise<Answer> {
  refuseQuery(request.query)
  const { type, text } = await metrics.exposition()
  return { status: 200, headers: { ...NO_STORE, 'content-type': type }, body: text }
}
