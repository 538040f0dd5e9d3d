/**
 * Claim: who asks for a stream and never reads costs the hub a cursor, and no memory for what it does not take.
 *
 * 5,000 streams of the readers' own channel, which are never read. The kernel holds some of it for each; as on a network and not
 * as on loopback, where it would hold megabytes, since segments are limited to 1,460 bytes. Node can't say that of a socket, so these
 * connections are Python's.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ask } from '../load/ask.ts'
import { keep } from '../machine/children.ts'
import { onCore, READERS_CORE } from '../machine/cores.ts'
import { getRequest } from '../peers/dialect.ts'
import type { Server } from '../peers/server.ts'
import { findCommand } from '../../scripts/tools.mjs'
import { ADDRESSES, attackBench } from './attack.ts'

const script = fileURLToPath(new URL('deaf.py', import.meta.url))
let deafOnes: ChildProcess | undefined

export const deaf = attackBench({
  name: 'deaf',
  claim: '5,000 streams of the same channel that are never read.',
  rss: 300,
  connections: 5_000,
  seconds: 20,
  size: 1_000,
  async begin({ server, stage, count }) {
    const request = stage.request([0])
    const [command, ...args] = onCore(READERS_CORE, [
      findCommand('python3') ?? 'python3',
      script,
      server.host,
      `${server.port}`,
      ADDRESSES.join(','),
      `${count}`,
      request,
    ])
    deafOnes = keep(spawn(command as string, args, { stdio: ['pipe', 'pipe', 'inherit'] }))
    const [said] = (await once(deafOnes.stdout as NonNullable<typeof deafOnes.stdout>, 'data')) as [Buffer]
    if (String(said).trim() !== 'open') throw new Error(`they did not all connect: ${String(said)}`)
  },
  async outcome({ server, count, quick }) {
    const full = await metricOf(server, 'downlink_slow_streams')
    if (!quick && full < count / 2)
      throw new Error(`only ${full} of their sockets are full: no attack at all`)
    return [['streams never read, of them full at the end', `${count}, ${full}`]]
  },
  async end() {
    const gone = once(deafOnes as ChildProcess, 'exit')
    deafOnes?.kill('SIGKILL')
    await gone
  },
})

async function metricOf(server: Server, name: string): Promise<number> {
  const { body } = await ask(server, getRequest('/metrics', {}))
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(body)?.[1])
}
