/** Where a server listens; `localhost` is two addresses. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The machine, or the container, has no such address. */
const ABSENT = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'])
/** How often a free port of 127.0.0.1 may turn out to be taken on ::1. */
const ATTEMPTS = 10

/**
 * Node listens on the first address of a name only. Browsers and curl take `localhost` for 127.0.0.1 and ::1, whatever the
 * hosts file says, and might find another program on the one that is left free. So both are listened on, where both exist.
 *
 * @throws what `net.Server.listen` meets, e.g. `EADDRINUSE`; then nothing is left listening
 */
export async function listen(
  create: () => Server,
  port: number,
  host: string,
): Promise<[Server, ...Server[]]> {
  if (host !== 'localhost') return [await listenOn(create(), port, host)]
  for (let attempt = 1; ; attempt++) {
    const first = await listenOn(create(), port, '127.0.0.1')
    try {
      return [first, await listenOn(create(), portOf(first), '::1')]
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (ABSENT.has(code)) return [first]
      await new Promise<void>((resolve) => first.close(() => resolve()))
      // Any port that is free was asked for: another may be free on both.
      if (port !== 0 || code !== 'EADDRINUSE' || attempt === ATTEMPTS) throw error
    }
  }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function listenOn(server: Server, port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}
