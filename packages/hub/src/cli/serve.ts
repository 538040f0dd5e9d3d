/** `downlink serve`: a hub with its server, until a signal stops it. */
import { Command, Option } from 'commander'
import { serveHub, type HubServer } from '../http/server.ts'
import { createHub } from '../hub.ts'
import { readConfig, type Settings } from './config.ts'
import { codeOf, Failure, reasonOf } from './failure.ts'
import { loadOwnPage, loadPage, type ServedPage } from './page.ts'
import { openLog } from './open-log.ts'
import {
  type Access,
  accessOf,
  addAuthFlags,
  type AuthFlags,
  type AuthSettings,
  authSettings,
} from './serve-auth.ts'
import { onEndSignal } from './signals.ts'
import {
  partsValue,
  forgetValue,
  hostValue,
  logValue,
  originsValue,
  portValue,
  retentionValue,
} from './values.ts'
import { keepYoungSpaceSmall } from './young-space.ts'

/** As the flags say it: what is not said is undefined. */
export interface ServeOptions extends Omit<Settings, 'origins' | keyof AuthSettings>, AuthFlags {
  readonly origin?: readonly string[]
  /** A file that says what no flag says. */
  readonly config?: string
}

export function serveCommand(run: (options: ServeOptions) => Promise<void>): Command {
  const command = new Command('serve')
    .summary('run a hub')
    .description(
      'Run a hub, until Ctrl-C, SIGINT or SIGTERM stops it. Without rules or keys it answers to this machine only. ' +
        'Streams are then ended and requests finished; a second signal stops it at once.',
    )
    .option('-p, --port <number>', 'where to listen; 0 for any port that is free (default: 4080)', portValue)
    .option(
      '--host <name>',
      'the name or address to listen on; elsewhere than on loopback it takes rules, keys or --open (default: localhost)',
      hostValue,
    )
    .option(
      '--log <log>',
      'where the events live: sqlite:PATH, a file that is made when missing; or memory, until the hub stops ' +
        '(default: sqlite:./data/log.db)',
      logValue,
    )
    .addOption(
      new Option(
        '--durability <durability>',
        'what an acknowledged event survives. fsync: also the loss of power. os: the death of the hub, but the last ' +
          'seconds may go with the machine; readers are then told a gap (default: fsync)',
      ).choices(['fsync', 'os']),
    )
    .option(
      '--retention <rule>',
      "how much channels keep, as 'orders.**=count:1000,age:7d,bytes:10MB'; none lifts a limit. The first rule that " +
        'matches a channel holds (repeatable; what no rule says: 1,000,000 events, 30 d, 1 GB a channel in sqlite, ' +
        '10,000 events, 24 h, 64 MB in memory)',
      retentionValue,
    )
    .option('--forget <time>', 'when to forget channels that are empty and idle (default: 7d)', forgetValue)
    .option(
      '--origin <url>',
      'an origin whose web pages may read and write, such as https://app.example (repeatable)',
      originsValue,
    )
    .option(
      '--compress <channels>',
      "channels whose streams to compress for clients that accept gzip, such as 'ticks.**': worth it where many " +
        'read the same (repeatable; default: none)',
      partsValue,
    )
    .option('--page <file>', 'an HTML file of your own to show at /, instead of the one that shows a channel')
  return addAuthFlags(command)
    .option('--config <file>', 'a JSON file that says all this; flags win over it')
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Examples:
  downlink serve
  downlink serve --log sqlite:/var/lib/downlink/log.db --retention 'orders.**=age:90d' --retention '**=count:1000'
  downlink serve --log memory
  DOWNLINK_SECRET=$(openssl rand -base64 32) downlink serve --host 0.0.0.0
`,
    )
    .action((options: ServeOptions) => run(options))
}

/** Resolves when the hub has stopped. @throws {Failure} when it can't start */
export async function serve(
  options: ServeOptions,
  print: (text: string) => void,
  tell: (line: string) => void,
): Promise<void> {
  keepYoungSpaceSmall()
  const settings = settingsOf(options)
  const page = settings.page === undefined ? loadPage() : loadOwnPage(settings.page)
  const { host = 'localhost' } = settings
  const access = await accessOf(settings, host, { env: process.env, tell })
  const { log, about } = await openLog(settings)
  const hub = createHub({ log })
  let stopAsked!: () => void
  const stopped = new Promise<void>((resolve) => {
    stopAsked = resolve
  })
  // Before the first line is printed: who reads it may send the signal at once.
  const release = onEndSignal(stopAsked)
  try {
    const server = await start(hub, settings, page, access)
    print(whatToTry(server, about, settings.open ? {} : access))
    await stopped
    await server.stop()
  } finally {
    await hub.close()
    release()
  }
}

/** Flags win over the file, each as a whole. @throws {Failure} */
function settingsOf(options: ServeOptions): Settings {
  const { config, origin, secretEnv, jwtKeys, jwksUrl, issuer, audience, tokenInUrl, open, ...flags } =
    options
  const file: Settings = config === undefined ? {} : readConfig(config)
  const auth = authSettings({ secretEnv, jwtKeys, jwksUrl, issuer, audience, tokenInUrl, open }, file)
  const settings: Settings = { ...file, ...flags, ...(origin && { origins: origin }), ...auth }
  if (flags.durability !== undefined && settings.log?.engine === 'memory') {
    throw new Failure('--durability is for a log on disk: leave it out, or choose --log sqlite:PATH')
  }
  return settings
}

async function start(
  hub: ReturnType<typeof createHub>,
  { port = 4080, host = 'localhost', origins = [], compress = [] }: Settings,
  page: ServedPage,
  { authorize }: Access,
): Promise<HubServer> {
  try {
    return await serveHub(hub, { port, host, origins, compress, page, ...(authorize && { authorize }) })
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

function whatToTry({ url, port }: HubServer, about: string, { authorize, secret }: Access): string {
  const channel = `${url}/channels/demo`
  const hub = url === 'http://localhost:4080' ? '' : ` --hub ${url}`
  const bearer = authorize ? '-H "Authorization: Bearer $DOWNLINK_TOKEN" ' : ''
  const token =
    secret === undefined
      ? ''
      : "  token     export DOWNLINK_TOKEN=$(npx downlink token make --read '**' --publish '**' --inspect)\n"
  return `Downlink listens on ${url} (port ${port}).
${about}

${token}  look      ${url}/
  publish   curl ${bearer}-d 'hello' ${channel}
  read      curl -N ${bearer}-H 'Accept: text/event-stream' ${channel}
  follow    npx downlink tail demo${hub}

Ctrl-C stops it.
`
}
