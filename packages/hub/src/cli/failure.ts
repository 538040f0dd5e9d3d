/** What ends a command without success: one clear line on stderr, exit code 1, no stack trace. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAI_AGAIN: 'the name could not be looked up',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to it',
  EISDIR: 'is a directory',
  ENETUNREACH: 'no network to it',
  ENOENT: 'no such file',
  ENOTFOUND: 'no such host',
  EPIPE: 'connection closed',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_SOCKET: 'connection closed',
}

/** The code of a system error, also of the one that `fetch` wraps in its own. */
export function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause ?? firstOf(at)) {
    const { code } = at as NodeJS.ErrnoException
    if (typeof code === 'string') return code
  }
  return undefined
}

/** What went wrong, in a few words for people. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  const known = code === undefined ? undefined : SYSTEM[code]
  if (known !== undefined) return known
  let deepest = error
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause
  const text = deepest instanceof Error ? deepest.message || deepest.name : String(deepest)
  return code === undefined || text.includes(code) ? oneLine(text) : `${oneLine(text)} (${code})`
}

/** Text from elsewhere must not become several lines, nor speak to the terminal. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  return plain.length > 600 ? `${plain.slice(0, 600)}…` : plain
}

/** Connecting to a name tries several addresses, and fails with one error for each. */
function firstOf(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : undefined
}
