/**
 * Whether a request comes from a page of somewhere else. Browsers send cookies along, and a hub on this machine is reachable
 * from every page, so a write must be of the same origin or of a named one, whoever it says it is; and so must a read that
 * counts on a cookie. Pure.
 */

export interface SiteRequest {
  header(name: string): string | undefined
}

/** Why it is refused, and how to mend it; undefined when it may pass. */
export function crossSite(request: SiteRequest, origins: readonly string[]): string | undefined {
  const origin = request.header('origin')
  if (origin !== undefined && origins.includes(origin)) return undefined
  const site = request.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return 'Pages of another site may not do this: name their origin in `origins`'
  }
  // The scheme is left out: behind a proxy that ends TLS the hub does not know it.
  if (origin === undefined || hostOf(origin) === request.header('host')?.toLowerCase()) return undefined
  return 'Pages of another origin may not do this: name their origin in `origins`'
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase()
}
