/**
 * What clients call themselves, remembered with what they hold open. Clients of one kind say the same, so a text is kept once for
 * all of them: it costs a reader nothing, or 8 bytes. Who says another each time costs at most what is kept of one.
 */
import { type Holder, NOBODY } from '../delivery/holder.ts'
import type { HttpRequest } from './message.ts'

/** Characters that are kept of one. */
const LONGEST = 200
/** Texts that are kept; beyond it all are forgotten, but by those who hold something. */
const MOST = 1_000

export class UserAgents {
  /** By what was said: the text that is kept, as the holder that nobody else is. */
  readonly #nobodies = new Map<string, Holder>()

  /** The holder, with what the client calls itself. */
  holder(request: HttpRequest, holder: Holder): Holder {
    const said = request.header('user-agent')
    if (said === undefined || said === '') return holder
    const nobody = this.#nobody(said.length > LONGEST ? said.slice(0, LONGEST) : said)
    return holder === NOBODY ? nobody : { ...holder, userAgent: nobody.userAgent as string }
  }

  #nobody(said: string): Holder {
    const known = this.#nobodies.get(said)
    if (known) return known
    if (this.#nobodies.size >= MOST) this.#nobodies.clear()
    const made = { ...NOBODY, userAgent: shownAgent(said) }
    this.#nobodies.set(copyOf(said), made)
    return made
  }
}

/** In visible ASCII and spaces, all other bytes percent-encoded. At most 200 characters. */
export function shownAgent(said: string): string {
  const shown = said.replace(/[^\x20-\x7e]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
  return copyOf(shown.slice(0, LONGEST))
}

/** A part of a text holds on to all of it; its copy does not. Headers are bytes, one a character. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
