/** `downlink token`: makes tokens, and says what one says. */
import type { Readable } from 'node:stream'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { checkTemplate, RuleError } from '../auth/check-rules.ts'
import { durationOf, AmountError } from './amounts.ts'
import { addKeyFlags, type AuthFlags, SECRET_ENV, textsValue } from './serve-auth.ts'
import { explainToken } from './token-explain.ts'
import { makeToken } from './token-make.ts'
import { envNameValue } from './values.ts'

export interface TokenIo {
  readonly stdin: Readable
  readonly print: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Resolves with the exit code. */
export type TokenAction = (io: TokenIo) => Promise<number>

export interface MakeOptions {
  readonly sub?: string
  readonly read?: readonly string[]
  readonly publish?: readonly string[]
  readonly end?: readonly string[]
  readonly drop?: readonly string[]
  readonly inspect?: true
  /** Milliseconds. Default an hour. */
  readonly ttl?: number
  readonly issuer?: string
  readonly audience?: readonly string[]
  readonly secretEnv?: string
  readonly key?: string
  readonly kid?: string
}

export type ExplainOptions = Pick<AuthFlags, 'secretEnv' | 'jwtKeys' | 'jwksUrl' | 'issuer' | 'audience'> & {
  readonly config?: string
}

/** @param run Throws what the action throws: a `Failure` */
export function tokenCommand(run: (action: TokenAction) => Promise<void>): Command {
  return new Command('token')
    .summary('make tokens for a hub, and explain them')
    .description('Make the tokens (JWT) that a hub with keys asks for, or say what one says.')
    .helpCommand(false)
    .addCommand(makeCommand((options) => run((io) => makeToken(options, io))))
    .addCommand(explainCommand((token, options) => run((io) => explainToken(token, options, io))))
}

function makeCommand(run: (options: MakeOptions) => Promise<void>): Command {
  const channels = 'names and patterns of channels, with commas or repeated'
  return new Command('make')
    .summary('print a token')
    .description(
      `Print a token, signed with the secret in the environment (${SECRET_ENV}) or with a private key. What it may do is what it ` +
        'says here, and what the rules of the hub say of its subject. A level {sub} in a pattern stands for the subject.',
    )
    .option('--sub <subject>', 'whose it is', nonEmptyValue)
    .option('--read <patterns>', `what it may read: ${channels}`, templatesValue)
    .option('--publish <patterns>', 'where it may publish', templatesValue)
    .option('--end <patterns>', 'what it may end', templatesValue)
    .option('--drop <patterns>', 'what it may erase', templatesValue)
    .option('--inspect', "it may see the hub's metrics, its page and its own channels")
    .option('--ttl <time>', 'for how long it holds: 90s, 15m, 12h, 365d (default: 1h)', ttlValue)
    .option('--issuer <text>', 'its `iss`', nonEmptyValue)
    .option('--audience <text>', 'its `aud` (repeatable)', textsValue)
    .option(
      '--secret-env <name>',
      `the variable of the environment with the secret (default: ${SECRET_ENV})`,
      envNameValue,
    )
    .option('--key <file>', 'the private key to sign with instead, PEM or JWK: RSA, EC P-256 or Ed25519')
    .option('--kid <name>', 'the name of the key, as the hub knows it')
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Examples:
  export ${SECRET_ENV}=$(openssl rand -base64 32)
  downlink token make --sub alice --read 'news.**' --read 'user.{sub}.**'
  downlink token make --publish '**' --ttl 365d --key private.pem
`,
    )
    .action(run)
}

function explainCommand(run: (token: string | undefined, options: ExplainOptions) => Promise<void>): Command {
  const command = new Command('explain')
    .summary('say what a token says, and whether a hub would take it')
    .description(
      'Say what a token says: its times in words, what it may do, and, given the keys, whether a hub would take it. Exit code 1 ' +
        'when it would not. No secret is printed, nor is the token.',
    )
    .addArgument(new Argument('[token]', 'the token; - or nothing for standard input'))
  return addKeyFlags(command)
    .option('--config <file>', 'the configuration of the hub: its rules, and how it verifies tokens')
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Examples:
  echo "$DOWNLINK_TOKEN" | downlink token explain
  downlink token explain --config downlink.json < token.txt
`,
    )
    .action(run)
}

function templatesValue(text: string, before: readonly string[] = []): readonly string[] {
  try {
    return [...before, ...text.split(',').map(checkTemplate)]
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    throw new InvalidArgumentError(error.message)
  }
}

function nonEmptyValue(text: string): string {
  if (text !== '') return text
  throw new InvalidArgumentError('Expected a text that is not empty')
}

function ttlValue(text: string): number {
  try {
    return durationOf(text)
  } catch (error) {
    if (!(error instanceof AmountError)) throw error
    throw new InvalidArgumentError(error.message)
  }
}
