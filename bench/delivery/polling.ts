/**
 * Claim: a poll costs little more than the HTTP it is made of, whether it finds nothing new or a full page.
 *
 * Bare `node:http` answers the bytes that the hub has answered. A page says when to come back, another time each; the rest of
 * it must be the same.
 */
import { ask, type Asked } from '../load/ask.ts'
import { hammer, type Hammering, hammerNotes, hammerTable } from '../load/hammer.ts'
import type { Expectation } from '../load/hammer-process.ts'
import { payload } from '../load/payload.ts'
import { dialects, getRequest } from '../peers/dialect.ts'
import { hub } from '../peers/hub.ts'
import { mirrorOf } from '../peers/mirror.ts'
import type { Server } from '../peers/server.ts'
import type { Bench, BenchContext } from './bench.ts'
import { withServer } from './publish.ts'

const CONNECTIONS = 50
/** `"retry":3187}` and a line feed, perhaps. */
const VARYING = 16

export const polling: Bench = {
  name: 'polling',
  claim: 'A poll with nothing new (304) and one of a full page of 100 events against bare node:http.',
  async run(context) {
    const { full, nothing, fullAnswer, nothingAnswer } = await withServer(hub(), async (server) => {
      const { fullRequest, nothingRequest } = await prepare(server)
      const fullAnswer = await ask(server, fullRequest)
      const nothingAnswer = await ask(server, nothingRequest)
      if (nothingAnswer.status !== 304) throw new Error(`wanted 304, got ${nothingAnswer.status}`)
      const full = await blow(context, server, 'the hub, a full page', fullRequest, fullAnswer)
      const nothing = await blow(context, server, 'the hub, 304', nothingRequest, nothingAnswer)
      return { full, nothing, fullAnswer, nothingAnswer }
    })
    const bareOf = (answer: Asked, label: string): Promise<Hammering> =>
      withServer(mirrorOf(answer), (server) =>
        blow(
          context,
          server,
          label,
          getRequest('/', { Accept: 'application/json', 'If-None-Match': '"x"' }),
          answer,
        ),
      )
    const bareFull = await bareOf(fullAnswer, 'bare node:http, a full page')
    const bareNothing = await bareOf(nothingAnswer, 'bare node:http, 304')
    return {
      tables: [
        hammerTable('Nothing new', [bareNothing, nothing], 0),
        hammerTable(`A page of 100 events, ${fullAnswer.body.length} bytes`, [bareFull, full], 100),
      ],
      targets: [
        {
          what: '304: CPU against bare node:http',
          wanted: { atMost: 1.3 },
          got: nothing.cpuPerRequest / bareNothing.cpuPerRequest,
        },
        {
          what: 'a full page: CPU against bare node:http',
          wanted: { atMost: 1.3 },
          got: full.cpuPerRequest / bareFull.cpuPerRequest,
        },
      ],
      notes: hammerNotes([bareNothing, nothing, bareFull, full]),
    }
  },
}

/** 300 events: a page from the start is full, and one at the end has nothing. */
async function prepare(server: Server): Promise<{ fullRequest: string; nothingRequest: string }> {
  const datas = Array.from({ length: 300 }, (_, number) => payload(0, number, 0, 200))
  const published = await ask(server, dialects['hub']?.publish('bench', datas).text as string)
  const { ids } = JSON.parse(published.body) as { ids: string[] }
  const at = (after: string, headers = {}): string =>
    getRequest(`/channels/bench?after=${after}&limit=100`, { Accept: 'application/json', ...headers })
  const newest = at(ids.at(-1) as string)
  const empty = await ask(server, newest)
  const etag = /\r\netag: (.*)\r\n/i.exec(empty.head)?.[1]
  if (etag === undefined) throw new Error('a poll without an ETag')
  return {
    fullRequest: at('start'),
    nothingRequest: at(ids.at(-1) as string, { 'If-None-Match': etag }),
  }
}

async function blow(
  { quick, say }: BenchContext,
  server: Server,
  label: string,
  request: string,
  answer: Asked,
): Promise<Hammering> {
  const { status, body } = answer
  const expect: Expectation = {
    status,
    body: { begins: body.slice(0, Math.max(0, body.length - VARYING)), length: body.length },
  }
  const run = await hammer({
    label,
    server,
    connections: CONNECTIONS,
    seconds: quick ? 1 : 8,
    request,
    expect,
  })
  say(`${label}: ${Math.round(run.perSecond)} requests/s, ${run.cpuPerRequest.toFixed(1)} µs each`)
  return run
}
