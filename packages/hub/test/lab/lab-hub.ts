/** A hub with its Lab, on a port of its own. */
import type { TestContext } from 'node:test'
import { openConsole } from '../../src/console.ts'
import type { HubServerOptions } from '../../src/http/server.ts'
import { serveHub } from '../../src/http/server.ts'
import type { HubOptions } from '../../src/hub-options.ts'
import { createHub, type Hub } from '../../src/hub.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { type LabReport, type LabSettings, TECHNIQUES } from '../../src/lab/report.ts'
import { LAB } from '../../src/ops/own-channels.ts'

export const QUICK: LabSettings = {
  techniques: TECHNIQUES,
  events: { rate: 50, shape: 'steady', size: 200 },
  clients: 4,
  pollEvery: 100,
  network: { delay: 0, buffering: false, cutAfter: 0 },
  seconds: 2,
  cpu: false,
}

export interface LabHub {
  readonly hub: Hub
  readonly lab: Lab
  readonly url: string
  /** Of all requests, in order. */
  readonly requests: readonly Readonly<Record<string, string | string[] | undefined>>[]
  readonly connections: () => Promise<number>
  readonly ask: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Response>
  /** Begins a run, however short. */
  readonly begin: (settings: Partial<LabSettings>) => LabReport
  /** What `$hub.lab` tells, until it is so. */
  readonly told: (until: (report: LabReport) => boolean) => Promise<readonly LabReport[]>
  readonly stop: () => Promise<void>
}

export async function labHub(
  t: Pick<TestContext, 'after'>,
  options: HubOptions = {},
  serverOptions: HubServerOptions = {},
): Promise<LabHub> {
  const hub = createHub({ onError() {}, ...options })
  const console = openConsole(hub)
  const { lab, lookout } = console.options
  if (lab === undefined) throw new Error('Expected a Lab')
  const server = await serveHub(hub, {
    host: '127.0.0.1',
    graceMs: 100,
    ...console.options,
    ...serverOptions,
  })
  const stop = async (): Promise<void> => {
    await server.stop()
    await console.close()
    await hub.close()
  }
  t.after(stop)
  const requests: LabHub['requests'][number][] = []
  server.server.on('request', ({ headers }: { headers: LabHub['requests'][number] }) =>
    requests.push(headers),
  )
  const { port, url } = server
  return {
    hub,
    lab,
    url,
    requests,
    connections: () =>
      new Promise((resolve, reject) =>
        server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    ask: (method, path, body, headers = {}) =>
      fetch(url + path, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    begin: (settings) =>
      lab.begin('run-test', {
        settings: { ...QUICK, ...settings },
        target: {
          host: '127.0.0.1',
          port,
          tls: serverOptions.tls ? 'own' : 'none',
          authority: `127.0.0.1:${port}`,
          mount: '',
        },
        headers: [],
      }),
    async told(until) {
      const reports: LabReport[] = []
      for await (const { data } of lookout.own.tail(LAB, { after: 'start' })) {
        const report = JSON.parse(data) as LabReport
        reports.push(report)
        if (until(report)) break
      }
      return reports
    },
    stop,
  }
}

export const isOver = ({ state }: LabReport): boolean => state !== 'running' && state !== 'measuring-cpu'
