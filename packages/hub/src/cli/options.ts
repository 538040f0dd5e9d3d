/** The options that all clients of a hub have. */
import { Option } from 'commander'
import { Failure } from './failure.ts'
import { DEFAULT_HUB, envNameValue, type HeaderList, headersValue, hubValue } from './values.ts'

export function hubOption(): Option {
  return new Option('--hub <url>', 'where the hub is')
    .env('DOWNLINK_URL')
    .default(DEFAULT_HUB)
    .argParser(hubValue)
}

export function headerOption(): Option {
  return new Option(
    '-H, --header <header>',
    "a header to send, such as 'Authorization: Bearer …' (repeatable)",
  ).argParser(headersValue)
}

/** Where the token is, when nobody says where. */
export const TOKEN_ENV = 'DOWNLINK_TOKEN'

/** There is no flag for the token itself: command lines are seen by other users, and kept by shells. */
export function tokenOption(): Option {
  return new Option(
    '--token-env <name>',
    `the variable of the environment with the token to send (default: ${TOKEN_ENV})`,
  ).argParser(envNameValue)
}

/**
 * The headers, and `Authorization` with the token of the environment, unless it is there already.
 *
 * @param name As it was said; the default variable may be missing
 * @throws {Failure}
 */
export function withToken(
  headers: HeaderList = [],
  name: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): HeaderList {
  if (headers.some(([header]) => header.toLowerCase() === 'authorization')) {
    if (name === undefined) return headers
    throw new Failure('--token-env and --header Authorization: send one of them')
  }
  const token = env[name ?? TOKEN_ENV]?.trim() ?? ''
  if (token === '') {
    if (name === undefined) return headers
    throw new Failure(`There is no ${name} in the environment: set it to the token`)
  }
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
    throw new Failure(`${name ?? TOKEN_ENV} is no token: expected one word, without \`Bearer\``)
  }
  return [...headers, ['Authorization', `Bearer ${token}`]]
}
