/** A hub for a run of the Lab alone: in memory, in this process, as `downlink serve` runs one. */
import { openConsole } from '../console.ts'
import { serveHub } from '../http/server.ts'
import { createHub } from '../hub.ts'
import { browserHeaders } from '../lab/browser.ts'
import { Lab, threadCpu } from '../lab/lab.ts'
import type { LabReport, LabSettings } from '../lab/report.ts'
import type { Bench } from './lab.ts'
import { keepYoungSpaceSmall } from './young-space.ts'

export async function ownBench(settings: LabSettings): Promise<Bench> {
  keepYoungSpaceSmall()
  const hub = createHub()
  const console = openConsole(hub)
  const { lab, lookout } = console.options
  if (lab === undefined) throw new Error('Expected the console to have a Lab')
  const server = await serveHub(hub, { host: '127.0.0.1', lookout, lab })
  const { port } = server
  const id = Lab.newId()
  lab.begin(id, {
    settings,
    target: { host: '127.0.0.1', port, tls: 'none', authority: `127.0.0.1:${port}`, mount: '' },
    headers: browserHeaders(),
  })
  return {
    place: 'a hub of its own, with its log in memory; counted at its sockets',
    ...(threadCpu() === undefined && {
      noCpu: 'this Node cannot tell the CPU of a thread: a newer one can',
    }),
    report: () => lab.report(id) as LabReport,
    stop: () => void lab.stop(id),
    done: lab.over(id),
    async close() {
      await server.stop()
      await console.close()
      await hub.close()
    },
  }
}
