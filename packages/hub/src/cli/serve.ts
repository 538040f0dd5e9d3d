/** `downlink serve`: a hub with its server, until a signal stops it. */
import { Command } from 'commander'
import { serveHub, type HubServer } from '../http/server.ts'
import { createHub } from '../hub.ts'
import { codeOf, Failure, reasonOf } from './failure.ts'
import { loadOwnPage, loadPage, type ServedPage } from './page.ts'
import { onEndSignal } from './signals.ts'
import { hostValue, logValue, originsValue, portValue } from './values.ts'

export interface ServeOptions {
  readonly port: number
  readonly host: string
  readonly log: 'memory'
  readonly origin?: readonly string[]
  /** A file of one's own to show at `/`. */
  readonly page?: string
}

export function serveCommand(run: (options: ServeOptions) => Promise<void>): Command {
  return new Command('serve')
    .summary('run a hub')
    .description(
      'Run a hub. It answers to this machine only, until Ctrl-C, SIGINT or SIGTERM stops it. ' +
        'Streams are then ended and requests finished; a second signal stops it at once.',
    )
    .option('-p, --port <number>', 'where to listen; 0 for any port that is free', portValue, 4080)
    .option('--host <name>', 'a loopback name or address', hostValue, 'localhost')
    .option('--log <log>', 'where the events live: memory, until the hub stops', logValue, 'memory')
    .option(
      '--origin <url>',
      'an origin whose web pages may read and write, such as https://app.example (repeatable)',
      originsValue,
    )
    .option('--page <file>', 'an HTML file of your own to show at /, instead of the one that shows a channel')
    .allowExcessArguments(false)
    .action((options: ServeOptions) => run(options))
}

/** Resolves when the hub has stopped. @throws {Failure} when it can't start */
export async function serve(options: ServeOptions, print: (text: string) => void): Promise<void> {
  const page = options.page === undefined ? loadPage() : loadOwnPage(options.page)
  const hub = createHub()
  let stopAsked!: () => void
  const stopped = new Promise<void>((resolve) => {
    stopAsked = resolve
  })
  // Before the first line is printed: who reads it may send the signal at once.
  const release = onEndSignal(stopAsked)
  try {
    const server = await start(hub, options, page)
    print(whatToTry(server))
    await stopped
    await server.stop()
  } finally {
    await hub.close()
    release()
  }
}

async function start(
  hub: ReturnType<typeof createHub>,
  { port, host, origin = [] }: ServeOptions,
  page: ServedPage,
): Promise<HubServer> {
  try {
    return await serveHub(hub, { port, host, origins: origin, page })
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') {
      throw new Failure(
        `Port ${port} of ${host} is taken: stop what listens there, or choose another --port`,
        {
          cause: error,
        },
      )
    }
    throw new Failure(`Can't listen on ${host}, port ${port}: ${reasonOf(error)}`, { cause: error })
  }
}

function whatToTry({ url, port }: HubServer): string {
  const channel = `${url}/channels/demo`
  const hub = url === 'http://localhost:4080' ? '' : ` --hub ${url}`
  return `Downlink listens on ${url} (port ${port}, events in memory: they are gone when it stops).

  look      ${url}/
  publish   curl -d 'hello' ${channel}
  read      curl -N -H 'Accept: text/event-stream' ${channel}
  follow    npx downlink tail demo${hub}

Ctrl-C stops it.
`
}
