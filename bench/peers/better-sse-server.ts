/** `channel.broadcast` for each line of a POST. Data is text already, so the serializer leaves it as it is. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { benchPackages, toolFolder } from '../../scripts/tools.mjs'
import { serveLines } from './lines-server.ts'

/** As much of it as is used here; it is installed for benchmarks only, so its own types may be missing. */
interface BetterSse {
  readonly createSession: (
    req: IncomingMessage,
    res: ServerResponse,
    options: { readonly serializer: (data: string) => string; readonly keepAlive: number },
  ) => Promise<object>
  readonly createChannel: () => { register(session: object): void; broadcast(data: string): void }
}

const [tool] = benchPackages
if (tool === undefined) throw new Error('there is no better-sse among the tools')
const require = createRequire(pathToFileURL(`${toolFolder(tool)}/`))
const { createSession, createChannel } = (await import(
  pathToFileURL(require.resolve('better-sse')).href
)) as BetterSse

const channels = new Map<string, ReturnType<BetterSse['createChannel']>>()

function channelOf(name: string): ReturnType<BetterSse['createChannel']> {
  let channel = channels.get(name)
  if (channel === undefined) channels.set(name, (channel = createChannel()))
  return channel
}

serveLines({
  async subscribe(names, req, res) {
    const session = await createSession(req, res, { serializer: (data) => data, keepAlive: 15_000 })
    for (const name of names) channelOf(name).register(session)
  },
  publish(name, data) {
    channelOf(name).broadcast(data)
  },
})
