/**
 * Claim: publishing costs little more than HTTP itself, batches make it cheap, and durability shared by many is not dear.
 *
 * Bare `node:http` is given what the hub answered, and answers just that. No pipelining: each connection waits for its answer.
 * Every id that is acknowledged is new, and the highest is where the log is at the end.
 */
import { ask } from '../load/ask.ts'
import { hammer, type Hammering, hammerNotes, hammerTable } from '../load/hammer.ts'
import { payload } from '../load/payload.ts'
import { getRequest } from '../peers/dialect.ts'
import { hub } from '../peers/hub.ts'
import { mirrorOf } from '../peers/mirror.ts'
import type { Peer, Server } from '../peers/server.ts'
import type { Bench, BenchContext } from './bench.ts'

const CONNECTIONS = 50
const BATCH = 100
const PUBLISHERS = 64

export const publish: Bench = {
  name: 'publish',
  claim:
    'Small publishes on 50 kept connections against bare node:http; batches of 100; 64 publishers on SQLite with fsync against memory.',
  async run(context) {
    const one = requestOf(1)
    const first = await withServer(hub(), (server) => ask(server, one))
    const bare = await withServer(mirrorOf(first), (server) =>
      blow(context, server, 'bare node:http', one, CONNECTIONS, {
        status: first.status,
        body: { begins: first.body, length: first.body.length },
      }),
    )
    const single = await ours(context, hub(), 'the hub', 1, CONNECTIONS)
    const batches = await ours(context, hub(), 'batches of 100', BATCH, 8)
    const memory = await ours(context, hub(), 'memory', 1, PUBLISHERS)
    const fsync = await ours(context, hub({ log: 'fsync' }), 'SQLite, fsync', 1, PUBLISHERS)
    return {
      tables: [
        hammerTable(`One event of 200 bytes a request, ${CONNECTIONS} connections`, [bare, single]),
        hammerTable('Batches of 100, 8 connections', [batches], BATCH),
        hammerTable(`${PUBLISHERS} publishers with one event in flight`, [memory, fsync]),
      ],
      targets: [
        {
          what: 'small publishes a second against bare node:http (0.8 wanted)',
          wanted: { atLeast: 0.7 },
          got: single.perSecond / bare.perSecond,
        },
        {
          what: 'CPU of a small publish against bare node:http',
          wanted: { atMost: 1 / 0.7 },
          got: single.cpuPerRequest / bare.cpuPerRequest,
        },
        {
          what: 'events a second in batches of 100',
          wanted: { atLeast: 200_000 },
          got: batches.perSecond * BATCH,
        },
        {
          what: 'SQLite with fsync against memory, 64 publishers, events a second',
          wanted: { atLeast: 0.6 },
          got: fsync.perSecond / memory.perSecond,
        },
      ],
      notes: hammerNotes([bare, single, batches, memory, fsync]),
    }
  },
}

function requestOf(events: number): string {
  const datas = Array.from({ length: events }, (_, number) => payload(0, number, 0, 200))
  const [type, body] =
    events === 1
      ? ['text/plain', datas[0] as string]
      : ['application/x-ndjson', datas.map((data) => `${JSON.stringify({ data })}\n`).join('')]
  return (
    `POST /channels/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  )
}

function ours(
  context: BenchContext,
  peer: Peer,
  label: string,
  events: number,
  connections: number,
): Promise<Hammering> {
  return withServer(peer, async (server) => {
    const run = await blow(context, server, label, requestOf(events), connections, {
      status: 200,
      ids: events,
    })
    const newest = await ask(
      server,
      getRequest('/channels/bench?last=1&transport=poll', { Accept: 'application/json' }),
    )
    const id = (JSON.parse(newest.body) as { events: { id: string }[] }).events[0]?.id
    if (!id?.endsWith(`-${run.highest}`)) {
      throw new Error(`${run.highest} was acknowledged last, and the newest event is ${id}`)
    }
    return run
  })
}

async function blow(
  { quick, say }: BenchContext,
  server: Server,
  label: string,
  request: string,
  connections: number,
  expect: Parameters<typeof hammer>[0]['expect'],
): Promise<Hammering> {
  const run = await hammer({ label, server, connections, seconds: quick ? 1 : 8, request, expect })
  say(`${label}: ${Math.round(run.perSecond)} requests/s, ${run.cpuPerRequest.toFixed(1)} µs each`)
  return run
}

export async function withServer<T>(peer: Peer, work: (server: Server) => Promise<T>): Promise<T> {
  const server = await peer.start()
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}
