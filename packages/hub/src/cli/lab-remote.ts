/** A run of the Lab against a deployment: events go there by HTTP, the crowd is here, and counts at its own sockets. */
import { parsePage } from '@downlink/wire'
import { browserHeaders } from '../lab/browser.ts'
import type { Target } from '../lab/crowd/plan.ts'
import { Lab } from '../lab/lab.ts'
import { LabClock } from '../lab/lab-clock.ts'
import type { LabSettings } from '../lab/report.ts'
import { channelOf, type Outlet, Run } from '../lab/run.ts'
import { Failure, reasonOf } from './failure.ts'
import type { Bench } from './lab.ts'
import { refusalOf } from './refusal.ts'
import type { HeaderList } from './values.ts'

const ANSWER_MS = 20_000

/** @throws {Failure} when no hub answers, or may not be read */
export async function remoteBench(hub: string, headers: HeaderList, settings: LabSettings): Promise<Bench> {
  const id = Lab.newId()
  const outlet = httpOutlet(hub, headers)
  // What does not work at all is told before a crowd comes, and what could not be tidied up afterwards.
  await outlet.cursor(channelOf(id))
  await outlet.drop(channelOf(id))
  const warnings: string[] = []
  const drop = (channel: string): Promise<unknown> =>
    outlet.drop(channel).catch((error: unknown) => {
      warnings.push(`The channel ${channel} is still there: ${reasonOf(error)}`)
    })
  const run = new Run(
    { ...settings, cpu: false },
    {
      id,
      clock: new LabClock(),
      outlet: { ...outlet, drop },
      target: targetOf(new URL(hub)),
      headers: [...browserHeaders(), ...headers],
      tell() {},
    },
  )
  return {
    place: `${hub}; counted at the clients' sockets`,
    noCpu: 'it can be measured in the process of a hub only',
    report: () => run.report(),
    stop: () => run.stop(),
    done: run.done,
    warnings,
    close: () => Promise.resolve(),
  }
}

function targetOf({ protocol, hostname, host, port, pathname }: URL): Target {
  const secure = protocol === 'https:'
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    tls: secure ? 'checked' : 'none',
    authority: host,
    mount: pathname.replace(/\/+$/, ''),
  }
}

function httpOutlet(hub: string, headers: HeaderList): Outlet {
  const sent = headers.map(([name, value]): [string, string] => [name, value])
  async function ask(method: string, path: string, body?: string): Promise<string> {
    let response: Response
    try {
      response = await fetch(`${hub}/channels/${path}`, {
        method,
        headers: sent,
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_MS),
        ...(body !== undefined && { body }),
      })
      if (response.ok) return await response.text()
    } catch (error) {
      throw new Failure(`No hub answers at ${hub} (${reasonOf(error)})`, { cause: error })
    }
    const refusal = await refusalOf(response, Date.now())
    // A channel that nothing was published to.
    if (method === 'DELETE' && refusal.code === 'unknown-channel') return ''
    throw new Failure(refusal.text)
  }
  return {
    publish: (channel, data) => ask('POST', channel, data),
    async cursor(channel) {
      const text = await ask('GET', `${channel}?after=now&limit=1&transport=poll`)
      try {
        return parsePage(text).cursor
      } catch (error) {
        throw new Failure(`What answers at ${hub} is no hub`, { cause: error })
      }
    },
    drop: (channel) => ask('DELETE', channel),
  }
}
