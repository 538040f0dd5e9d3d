/** One live example at a time: each holds a connection, and HTTP/1.1 has six for all tabs. What it published is erased in the end. */
import { headers, urlOf } from '../hub.ts'

let stopCurrent: (() => void) | undefined

/** Stops the one before. */
export function takeTurn(stop: () => void): void {
  if (stopCurrent !== stop) stopCurrent?.()
  stopCurrent = stop
}

export function endTurn(stop: () => void): void {
  if (stopCurrent === stop) stopCurrent = undefined
}

const made = new Set<string>()
let runs = 0
const visit = Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => (byte % 36).toString(36)).join(
  '',
)

/** Of the channels of one run, e.g. `guide.k3x9a-2.`. */
export function freshPrefix(): string {
  return `guide.${visit}-${++runs}.`
}

/** It stays to be looked at until the page is left. */
export function eraseLater(channel: string): void {
  made.add(channel)
}

addEventListener('pagehide', () => {
  for (const channel of made)
    fetch(urlOf(`channels/${channel}`), { method: 'DELETE', headers: headers(), keepalive: true }).catch(
      () => {},
    )
  made.clear()
})

/** As many tickets as native sources will be made: they can't send a token. None where the hub needs none. */
export async function tickets(count: number, pattern: string): Promise<string[]> {
  if (count === 0 || Object.keys(headers()).length === 0) return []
  const one = async (): Promise<string | undefined> => {
    const body = JSON.stringify({ channels: [pattern] })
    const response = await fetch(urlOf('tickets'), { method: 'POST', headers: headers(), body })
    if (response.status === 404) return undefined
    if (!response.ok) throw new Error(await problemOf(response))
    return ((await response.json()) as { ticket: string }).ticket
  }
  const all = await Promise.all(Array.from({ length: count }, one))
  return all.filter((ticket) => ticket !== undefined)
}

/** What the hub says when it says no. */
export async function problemOf(response: Response): Promise<string> {
  const { detail = '' } = (await response.json().catch(() => ({}))) as { detail?: string }
  return `${response.status} ${detail}`.trim()
}
