/**
 * Without rules the hub is for its own machine only: neither a proxy on the same host, nor a web page elsewhere, nor DNS
 * rebinding gets in. Pure.
 */

export interface GuardedRequest {
  header(name: string): string | undefined
  headerNames(): Iterable<string>
  /** Whom the request is for, where its target says so besides `Host`. */
  readonly authority?: string | undefined
  readonly address: string | undefined
}

const MEND = 'pass `authorize` to say who may read and write'

/** Why the request is refused, and what to set; undefined when it may pass. */
export function guard(request: GuardedRequest): string | undefined {
  if (request.address !== undefined && !isLoopbackAddress(request.address)) {
    return `Without rules only this machine may ask: ${MEND}`
  }
  const host = request.header('host')
  if (host === undefined || !isLoopbackHost(host) || !isLoopbackHost(request.authority ?? host)) {
    return `Without rules \`Host\` must be a loopback name such as localhost: ${MEND}`
  }
  for (const name of request.headerNames()) {
    if (name === 'forwarded' || name === 'via' || name.startsWith('x-forwarded-')) {
      return `Without rules nothing may be in between, and the request has a \`${name}\` header: ${MEND}`
    }
  }
  return undefined
}

/** A connection asks with the same name and address each time; one that was asked for is remembered. */
function remembering(decide: (name: string) => boolean): (name: string) => boolean {
  let last = ''
  let answer = decide(last)
  return (name) => {
    if (name !== last) {
      answer = decide(name)
      last = name
    }
    return answer
  }
}

/** `localhost`, `*.localhost`, `127.0.0.0/8` or `[::1]`, with or without a port. */
export const isLoopbackHost = remembering((host) => {
  // Letters of names only: whoever cuts `evil.example#.localhost` at its `#` would come out elsewhere.
  const name = /^(\[[^\]]*\]|[\w.-]*)(?::\d*)?$/.exec(host)?.[1]?.toLowerCase()
  if (name === undefined) return false
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true
  return isLoopbackIPv4(name)
})

export const isLoopbackAddress = remembering((address) => {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain === '::1' || isLoopbackIPv4(plain)
})

function isLoopbackIPv4(name: string): boolean {
  const parts = name.split('.')
  return (
    parts.length === 4 &&
    parts[0] === '127' &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
  )
}
