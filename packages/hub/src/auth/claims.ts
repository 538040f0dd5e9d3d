/** What a token says, once its signature holds: who, until when, and the claim `downlink`. Pure. */
import { checkTemplate, RuleError } from './check-rules.ts'
import { Refusal } from './refusal.ts'
import { type Caller, CHANNEL_ACTIONS, type ClaimedRights } from './rules.ts'

export interface Claims extends Caller {
  /** When it ends, in milliseconds since 1970, the tolerance for clocks included. */
  readonly until: number
  /** When it was made (`iat`), in milliseconds since 1970. */
  readonly issued?: number
}

/** Of a subject, which stands in scopes, counters and lists. */
const LONGEST_SUBJECT = 255
/** Names and patterns of each action: each is looked at for each request. */
const MOST_GRANTS = 100
/** The last moment that a Date can say. Further than that is never. */
const END_OF_TIME = 8_640_000_000_000_000

/** @throws {Refusal} `invalid-token` that says what is wrong */
export function claimsOf(payload: Readonly<Record<string, unknown>>, toleranceMs: number): Claims {
  const { sub: subject = '' } = payload
  if (typeof subject !== 'string' || subject.length > LONGEST_SUBJECT) {
    throw wrong(`Expected \`sub\` to be a string of at most ${LONGEST_SUBJECT} characters`)
  }
  const until = timeOf(payload['exp'], 'exp')
  if (until === undefined) throw wrong('Expected `exp`: every token needs an end')
  timeOf(payload['nbf'], 'nbf')
  const issued = timeOf(payload['iat'], 'iat')
  return {
    subject,
    known: true,
    claims: rightsIn(payload['downlink']),
    until: Math.min(until + toleranceMs, END_OF_TIME),
    ...(issued !== undefined && { issued }),
  }
}

function timeOf(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined
  // JSON has numbers that become Infinity.
  if (typeof value === 'number' && Number.isFinite(value)) {
    return Math.max(-END_OF_TIME, Math.min(value * 1000, END_OF_TIME))
  }
  throw wrong(`Expected \`${name}\` to be a number of seconds`)
}

function rightsIn(claim: unknown): ClaimedRights {
  if (claim === undefined) return {}
  if (typeof claim !== 'object' || claim === null || Array.isArray(claim)) {
    throw wrong('Expected the claim `downlink` to be an object')
  }
  const rights: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(claim)) {
    if (name === 'inspect') {
      if (typeof value !== 'boolean') throw wrong('Expected `downlink.inspect` to be true or false')
      rights[name] = value
    } else if (CHANNEL_ACTIONS.some((action) => action === name)) rights[name] = grantsIn(value, name)
    else {
      const known = `${CHANNEL_ACTIONS.join(', ')}, inspect`
      throw wrong(`The claim \`downlink\` has a member that this hub does not know. There are ${known}`)
    }
  }
  return rights
}

function grantsIn(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value) || value.length > MOST_GRANTS) {
    throw wrong(`Expected \`downlink.${name}\` to be a list of at most ${MOST_GRANTS} names and patterns`)
  }
  return value.map((grant: unknown, index) => {
    try {
      return checkTemplate(grant)
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      throw wrong(`\`downlink.${name}[${index}]\`: ${error.message}`)
    }
  })
}

function wrong(message: string): Refusal {
  return new Refusal('invalid-token', message)
}
