/** Rules that stand in the token itself, so that they are the same in every runtime. */
import type { Action, Authorize, AuthorizeRequest, Grant } from '../../src/auth/authorize.ts'

export interface Asked {
  readonly action: Action
  readonly channels: readonly string[]
}

/** What `Authorization` has to be for these rights; a `subject` that begins with `async` is answered later. */
export function token(
  subject: string,
  actions: readonly Action[],
  prefix = '',
  more: Omit<Grant, 'subject'> = {},
): string {
  return `Bearer ${subject};${actions.join(',')};${prefix};${JSON.stringify(more)}`
}

/** Nobody may do anything without a token; `Bearer throw` breaks the rules themselves. */
export function tokenRules(asked: Asked[]): Authorize {
  return (request: AuthorizeRequest, action, channels) => {
    asked.push({ action, channels })
    const given = request.header('authorization')
    if (given === undefined) return false
    if (given === 'Bearer throw') throw new Error('the secret inside of the rules')
    const [subject = '', actions = '', prefix = '', more = '{}'] = given.slice('Bearer '.length).split(';')
    const allowed = actions.split(',').includes(action) && channels.every((name) => name.startsWith(prefix))
    const verdict = allowed && (subject === '' ? true : { subject, ...(JSON.parse(more) as object) })
    return subject.startsWith('async') ? new Promise((resolve) => setTimeout(resolve, 1, verdict)) : verdict
  }
}
