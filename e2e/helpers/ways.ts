/** What can be between a page and its hub: all that the hostile proxy does wrong, and the proxies that people have. */
import type { TestContext } from 'node:test'
import type { Transport } from '@downlink/client'
import { type Fault, hostileProxy } from '@downlink/hub/testing'
import { type ProgramOptions, type programs, startProgram } from '../../packages/hub/test/proxies/programs.ts'

export interface Way {
  readonly name: string
  /** On which transport `subscribe()` ends there. */
  readonly ends: Transport
  /** Puts it in front of the hub; it is gone when the test is. @returns its URL */
  readonly before: (t: TestContext, hub: string) => Promise<string>
}

/** What is wrong with reads alone: the page itself comes as it should. */
const reads = ({ path }: { readonly path: string }): boolean => path.startsWith('/channels/')

export function hostile(name: string, ends: Transport, fault: Fault): Way {
  return {
    name,
    ends,
    async before(t, hub) {
      const proxy = await hostileProxy(hub, { fault: { only: reads, ...fault } })
      t.after(() => proxy.close())
      return proxy.url
    },
  }
}

function real(name: string, ends: Transport, program: keyof typeof programs, options?: ProgramOptions): Way {
  return {
    name,
    ends,
    before: async (t, hub) => (await startProgram(t, program, hub, options)).url,
  }
}

/** Where nothing depends on times and amounts. */
export const WAYS: readonly Way[] = [
  hostile('nothing', 'sse', {}),
  hostile('buffers everything, the head too', 'long-poll', { hold: 'response' }),
  hostile('buffers the body to its end', 'long-poll', { hold: 'body' }),
  hostile('buffers until 64 KiB have come', 'long-poll', { hold: { until: 65_536 } }),
  hostile('passes the first 700 bytes, then holds', 'long-poll', { hold: { after: 700 } }),
  hostile('gzips and holds', 'long-poll', { gzip: true }),
  hostile('delays by 200 ms each way', 'sse', { delay: 200 }),
  hostile('trickles byte by byte', 'sse', { trickle: true }),
  hostile('splits inside UTF-8', 'sse', { splitUtf8: true }),
  hostile('strips Last-Event-ID', 'sse', { strip: ['last-event-id'] }),
  hostile('answers streams with 502', 'long-poll', { only: 'streams', answer: { status: 502 } }),
  hostile('answers streams with 503 and Retry-After', 'long-poll', {
    only: 'streams',
    answer: { status: 503, retryAfter: 1 },
  }),
  hostile('answers 502 three times', 'sse', { answer: { status: 502, times: 3 } }),
  hostile('answers 503 and Retry-After three times', 'sse', {
    answer: { status: 503, retryAfter: 1, times: 3 },
  }),
  real('nginx', 'sse', 'nginx'),
  real('nginx that ignores X-Accel-Buffering', 'long-poll', 'nginx', { ignoresHints: true }),
  real('nginx with gzip', 'sse', 'nginx', { gzip: true }),
  real('nginx with gzip that ignores X-Accel-Buffering', 'long-poll', 'nginx', {
    gzip: true,
    ignoresHints: true,
  }),
  real('HAProxy', 'sse', 'haproxy'),
  real('Caddy', 'sse', 'caddy'),
  real('Caddy with gzip', 'sse', 'caddy', { gzip: true }),
]
