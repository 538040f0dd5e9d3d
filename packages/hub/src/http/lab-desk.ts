/** `/lab`: begins, tells and stops runs of the Lab. */
import type { Http2Session } from 'node:http2'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Action, Grant } from '../auth/authorize.ts'
import type { Hub } from '../hub.ts'
import { readable } from '../lab/crowd/coding.ts'
import type { Plan, Target } from '../lab/crowd/plan.ts'
import { Lab, LabBusy, type Through } from '../lab/lab.ts'
import { DEFAULT_SETTINGS } from '../lab/presets.ts'
import { channelOf, cpuChannelOf } from '../lab/run.ts'
import type { LabSettings } from '../lab/report.ts'
import { labSettings, SettingError } from '../lab/settings.ts'
import { holderOf } from './access.ts'
import { jsonBody } from './json-body.ts'
import { type Answer, type HttpRequest, json } from './message.ts'
import { Problem } from './problem.ts'
import { refuseQuery } from './query.ts'

export const LAB_ALLOW = {
  all: 'POST, OPTIONS',
  time: 'GET, HEAD, OPTIONS',
  one: 'GET, HEAD, DELETE, OPTIONS',
}

export type Permit = (action: Action, channels: readonly string[]) => Promise<Grant>

/** A request as a browser sends it goes on being one: what is told of the client goes with the crowd's requests. */
const KEPT_HEADERS =
  /^(?:user-agent|accept-language|accept-encoding|sec-ch-.*|sec-fetch-.*|sec-gpc|dnt|priority|referer|cookie|authorization|origin|x-forwarded-.*|forwarded|via|x-real-ip)$/

const NO_STORE = { 'cache-control': 'no-store' }

/** Clients of the page itself that hold a connection. */
const PAGE_CLIENTS = 3

export class LabDesk {
  readonly #hub: Hub
  readonly #lab: Lab

  constructor(hub: Hub, lab: Lab) {
    this.#hub = hub
    this.#lab = lab
  }

  /** The methods of this path; undefined when there is nothing. */
  static allowed(path: string): string | undefined {
    if (path === '/lab') return LAB_ALLOW.all
    if (path === '/lab/time') return LAB_ALLOW.time
    return /^\/lab\/[^/]+$/.test(path) ? LAB_ALLOW.one : undefined
  }

  /** How the clients of a page go through the network of the run under way; undefined when this is no such path, or nothing is between. */
  through(path: string): Through | undefined {
    const [, id, channel] = /^\/lab\/([^/]+)\/net\/channels\/([^/]+)$/.exec(path) ?? []
    const through = id === undefined ? undefined : this.#lab.through(id)
    return through?.channel === channel ? through : undefined
  }

  /** @throws {Problem} and what `permit` throws */
  async answer(request: HttpRequest, permit: Permit): Promise<Answer> {
    refuseQuery(request.query)
    await permit('inspect', [])
    if (request.path === '/lab') return this.#begin(request, permit)
    if (request.path === '/lab/time') return json({ now: this.#lab.clock.now() }, NO_STORE)
    const id = request.path.slice('/lab/'.length)
    const report = request.method === 'DELETE' ? await this.#lab.stop(id) : this.#lab.report(id)
    if (report) return json(report, NO_STORE)
    throw new Problem('not-found', 'There is no run of this id, or not any more: `POST /lab` begins one')
  }

  async #begin(request: HttpRequest, permit: Permit): Promise<Answer> {
    const settings = settingsOf(await jsonBody(request, Object.keys(DEFAULT_SETTINGS)))
    const id = Lab.newId()
    const channels = [channelOf(id), cpuChannelOf(id)]
    for (const action of ['publish', 'drop'] as const) await permit(action, channels)
    this.#checkSeats(settings, request, await permit('read', channels))
    try {
      const report = this.#lab.begin(id, {
        settings,
        target: targetOf(request),
        headers: crowdHeaders(request),
      })
      const headers = { ...NO_STORE, location: `${request.path}/${id}` }
      return json({ id, channel: report.channel, report }, headers, 201)
    } catch (error) {
      if (!(error instanceof LabBusy)) throw error
      throw new Problem(
        'lab-busy',
        `${error.message}: wait for its end, or stop it by \`DELETE /lab/${error.id}\``,
        { run: error.id },
      )
    }
  }

  /** The crowd reads with the rights of who asked for it, and within the same limits. @throws {Problem} */
  #checkSeats({ clients, techniques }: LabSettings, request: HttpRequest, grant: Grant): void {
    const holding = techniques.filter((technique) => technique !== 'poll').length
    const { limits, subject, address } = holderOf(request, grant)
    const { readers, streamsPerAddress, streamsPerSubject } = this.#hub.limits
    const own = limits?.streams ?? (subject === '' ? Infinity : streamsPerSubject)
    const most = Math.min(
      readers,
      own,
      address === undefined ? Infinity : (limits?.streams ?? streamsPerAddress),
    )
    if (holding * clients + PAGE_CLIENTS <= most) return
    const fit = Math.max(0, Math.floor((most - PAGE_CLIENTS) / holding))
    throw invalid(
      'clients',
      `Expected \`clients\` to be at most ${fit}: each of ${holding} techniques holds a connection for each client, and you may have ${most} streams and long polls`,
    )
  }
}

/** @throws {Problem} */
function settingsOf(body: Readonly<Record<string, unknown>>): LabSettings {
  try {
    return labSettings(body)
  } catch (error) {
    if (error instanceof SettingError) throw invalid(error.setting, error.message)
    throw error
  }
}

function invalid(setting: string, detail: string): Problem {
  return new Problem('invalid-json', detail, { setting })
}

function crowdHeaders(request: HttpRequest): Plan['headers'] {
  const headers: [string, string][] = []
  for (const name of request.headerNames()) {
    const value = KEPT_HEADERS.test(name) ? request.header(name) : undefined
    if (value !== undefined) headers.push([name, name === 'accept-encoding' ? readable(value) : value])
  }
  return headers
}

/** The address at which the request came in. @throws {Problem} */
function targetOf(request: HttpRequest): Target {
  const raw = request.raw as Partial<IncomingMessage> & {
    readonly session?: Http2Session
    originalUrl?: string
  }
  const socket: (Socket & { encrypted?: boolean }) | undefined = raw.socket ?? raw.session?.socket
  if (socket?.localAddress === undefined || socket.localPort === undefined) {
    throw new Problem(
      'not-found',
      'The Lab is not here: its crowd has no address to connect to. `serveHub` and `nodeHandler` have one',
    )
  }
  const { path } = request
  const whole = raw.originalUrl ?? raw.url ?? path
  return {
    host: socket.localAddress.replace(/^::ffff:/, ''),
    port: socket.localPort,
    tls: socket.encrypted ? 'own' : 'none',
    authority: request.authority ?? request.header('host') ?? 'localhost',
    mount: whole.slice(0, Math.max(0, whole.indexOf(path))),
  }
}
