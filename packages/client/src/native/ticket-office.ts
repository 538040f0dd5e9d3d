/** Where tickets come from: a native EventSource shows one in place of a token. */
import { abortable, type Asker, HUB_PATH, pause, refusal } from '../subscribe/ask.ts'
import { namesOf } from '../subscribe/page-source.ts'

export interface TicketOffice {
  /**
   * A ticket for one stream. The one before is void then, so that nobody else has anything of it.
   *
   * @returns undefined when the hub needs none
   * @throws as `ask`
   */
  next(signal: AbortSignal): Promise<string | undefined>
}

export function createTicketOffice({ url, options, env, pace }: Asker): TicketOffice {
  let last: string | undefined
  return {
    async next(signal) {
      await pause(env, pace.take(env.now()), signal)
      const { credentials = 'same-origin', headers: given } = options
      const supplied = typeof given === 'function' ? given() : given
      const headers = new Headers(await abortable(supplied, signal))
      const place = new URL(url)
      place.pathname = place.pathname.replace(HUB_PATH, '/tickets')
      place.search = ''
      const body = JSON.stringify({ channels: namesOf(url), replaces: last })
      const init = { method: 'POST', cache: 'no-store', headers, body, signal, credentials } as const
      const response = await abortable((options.fetch ?? env.fetch)(place.href, init), signal)
      // A hub without rules has none, and asks for none.
      if (response.status === 404) return undefined
      if (response.status !== 200) {
        const type = `${response.headers.get('content-type')}`
        throw await refusal(response, type, env.now(), signal)
      }
      const { ticket } = (await abortable(response.json(), signal)) as { ticket: string }
      last = ticket
      return ticket
    },
  }
}
