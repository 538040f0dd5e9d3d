/** `downlink serve`: a hub with its server, until a signal stops it. */
import { Command, Option } from 'commander'
import { HubError } from '../errors.ts'
import { serveHub, type HubServer, type HubServerOptions } from '../http/server.ts'
import { type HubConsole, openConsole } from '../console.ts'
import { createHub } from '../hub.ts'
import { readConfig, type Settings } from './config.ts'
import { codeOf, Failure, reasonOf } from './failure.ts'
import type { Journal } from './journal.ts'
import { loadOwnPage } from './page.ts'
import { openLog } from './open-log.ts'
import {
  type Access,
  accessOf,
  addAuthFlags,
  type AuthFlags,
  type AuthSettings,
  authSettings,
  SECRET_ENV,
} from './serve-auth.ts'
import { addTlsFlags, type TlsFlags, type TlsSettings, tlsSettings } from './serve-tls.ts'
import { limitOption, limitOptions, type LimitSettings } from './serve-limits.ts'
import { addLogFlags, DEFAULT_LOG_LEVEL, shownConfig } from './serve-log.ts'
import { addProxyFlags, proxyOptions } from './serve-proxy.ts'
import { type EndSignal, onEndSignal } from './signals.ts'
import {
  partsValue,
  forgetValue,
  hostValue,
  logValue,
  originsValue,
  portValue,
  retentionValue,
} from './values.ts'
import { version } from './version.ts'
import { keepYoungSpaceSmall } from './young-space.ts'

const OPEN = 'Open: whoever reaches this hub may read, publish, end and erase everything'

/** As the flags say it: what is not said is undefined. */
export interface ServeOptions
  extends Omit<Settings, 'origins' | 'limits' | keyof TlsSettings | keyof AuthSettings>, TlsFlags, AuthFlags {
  readonly origin?: readonly string[]
  readonly limit?: LimitSettings
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
    .addOption(limitOption())
    .option('--page <file>', 'an HTML file of your own to show at /, instead of the console')
  addAuthFlags(command)
  addTlsFlags(command)
  addProxyFlags(command)
  return addLogFlags(command)
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
  downlink serve --cert fullchain.pem --key privkey.pem
`,
    )
    .action((options: ServeOptions) => run(options))
}

/** Resolves when the hub has stopped. @throws {Failure} when it can't start */
export async function serve(options: ServeOptions, print: (text: string) => void): Promise<void> {
  keepYoungSpaceSmall()
  const settings = settingsOf(options)
  const ownPage = settings.page === undefined ? undefined : loadOwnPage(settings.page)
  const { host = 'localhost' } = settings
  // What can't be meant is said before anything is opened.
  const told: { by?: Journal; on?: HubConsole } = {}
  const access = await accessOf(settings, host, process.env, (warning) => told.by?.warned(warning))
  const { log, about } = await openLog(settings)
  const journal = await openJournal(settings)
  told.by = journal
  const onError = (error: unknown): void => {
    journal.failed(error)
    told.on?.failed(error)
  }
  const hub = createHub({ log, limits: limitOptions(settings.limits).hub, onError })
  const shown = openConsole(hub, journal.observe)
  told.on = shown
  let stopAsked!: (signal: EndSignal) => void
  const stopping = new Promise<EndSignal>((resolve) => {
    stopAsked = resolve
  })
  // Before the first line is printed: who reads it may send the signal at once.
  const release = onEndSignal(stopAsked)
  try {
    const { authorize, ticketSecret } = access
    const server = await start(hub, settings, {
      ...shown.options,
      ...(ownPage && { page: ownPage }),
      ...(authorize && { authorize }),
      ...(ticketSecret !== undefined && { ticketSecret }),
    })
    journal.started({ version: version(), url: server.url, config: shownConfig(settings) })
    if (settings.open) journal.warned(OPEN)
    print(whatToTry(server, settings.open ? `${OPEN}.\n${about}` : about, access))
    journal.stopping(await stopping)
    await server.stop()
    await shown.close()
    await hub.close()
    journal.stopped()
  } finally {
    await shown.close()
    await hub.close()
    await journal.close()
    release()
  }
}

/** Only a hub that runs needs what writes its log. */
async function openJournal({ logLevel = DEFAULT_LOG_LEVEL }: Settings): Promise<Journal> {
  const { Journal } = await import('./journal.ts')
  const { stderrSink } = await import('./stderr-sink.ts')
  return new Journal(logLevel, stderrSink())
}

/** Flags win over the file, each as a whole, but of limits each by its name. @throws {Failure} */
function settingsOf(options: ServeOptions): Settings {
  const { config, origin, limit, cert, key, h2c, ...others } = options
  const { secretEnv, jwtKeys, jwksUrl, issuer, audience, tokenInUrl, open, ...flags } = others
  const file: Settings = config === undefined ? {} : readConfig(config)
  const limits = (file.limits ?? limit) && { ...file.limits, ...limit }
  const tls = tlsSettings({ cert, key, h2c }, file)
  const auth = authSettings({ secretEnv, jwtKeys, jwksUrl, issuer, audience, tokenInUrl, open }, file)
  const settings: Settings = {
    ...file,
    ...flags,
    ...(origin && { origins: origin }),
    ...tls,
    ...auth,
    ...(limits && { limits }),
  }
  if (flags.durability !== undefined && settings.log?.engine === 'memory') {
    throw new Failure('--durability is for a log on disk: leave it out, or choose --log sqlite:PATH')
  }
  return settings
}

async function start(
  hub: ReturnType<typeof createHub>,
  settings: Settings,
  options: Pick<HubServerOptions, 'page' | 'lookout' | 'observe' | 'authorize' | 'ticketSecret'>,
): Promise<HubServer> {
  const { port = 4080, host = 'localhost', origins = [], compress = [], tls, h2c = false } = settings
  const { http } = limitOptions(settings.limits)
  const proxies = proxyOptions(settings)
  try {
    const asked = { port, host, origins, compress, h2c, ...(tls && { tls }) }
    return await serveHub(hub, { ...asked, ...http, ...proxies, ...options })
  } catch (error) {
    if (error instanceof HubError) throw new Failure(error.message, { cause: error })
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

function whatToTry({ url, port }: HubServer, about: string, { rules, secretEnv }: Access): string {
  const channel = `${url}/channels/demo`
  const hub = url === 'http://localhost:4080' ? '' : ` --hub ${url}`
  const bearer = rules ? '-H "Authorization: Bearer $DOWNLINK_TOKEN" ' : ''
  const env = secretEnv === SECRET_ENV ? '' : `--secret-env ${secretEnv} `
  const make = `npx downlink token make ${env}--read '**' --publish '**' --inspect`
  const token = secretEnv === undefined ? '' : `  token     export DOWNLINK_TOKEN=$(${make})\n`
  return `Downlink listens on ${url} (port ${port}).
${about}

${token}  look      ${url}/
  publish   curl ${bearer}-d 'hello' ${channel}
  read      curl -N ${bearer}-H 'Accept: text/event-stream' ${channel}
  follow    npx downlink tail demo${hub}

Ctrl-C stops it.
`
}
