/** Where in the page one is: the part of its address behind `#`. */
import { Changing } from './store.ts'

export type Place =
  | { readonly page: 'hub' }
  | { readonly page: 'channels' }
  | { readonly page: 'channel'; readonly name: string }
  | { readonly page: 'readers' }
  | { readonly page: 'lab' }
  | { readonly page: 'guide'; readonly chapter: string; readonly heading: string }

export function placeOf(hash: string): Place {
  const [page = '', ...rest] = hash.replace(/^#\/?/, '').split('/')
  if (page === 'channels') {
    const name = decode(rest.join('/'))
    return name === '' ? { page } : { page: 'channel', name }
  }
  if (page === 'guide') return { page, chapter: decode(rest[0] ?? ''), heading: decode(rest[1] ?? '') }
  return page === 'readers' || page === 'lab' ? { page } : { page: 'hub' }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function linkTo(name: string): string {
  return `#/channels/${encodeURIComponent(name)}`
}

class Route extends Changing {
  place: Place = placeOf(location.hash)

  constructor() {
    super()
    addEventListener('hashchange', () => {
      // The link to the content is no place.
      if (/^#[^/]/.test(location.hash)) return
      this.place = placeOf(location.hash)
      this.changed()
    })
  }
}

export const route = new Route()
