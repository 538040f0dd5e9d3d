/** Where in the page one is: the part of its address behind `#`. */
import { Changing } from './store.ts'

export type Place =
  | { readonly page: 'hub' }
  | { readonly page: 'channels' }
  | { readonly page: 'channel'; readonly name: string }
  | { readonly page: 'readers' }

export function placeOf(hash: string): Place {
  const [page = '', ...rest] = hash.replace(/^#\/?/, '').split('/')
  if (page === 'channels') {
    const name = decode(rest.join('/'))
    return name === '' ? { page } : { page: 'channel', name }
  }
  return page === 'readers' ? { page } : { page: 'hub' }
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
      this.place = placeOf(location.hash)
      this.changed()
    })
  }
}

export const route = new Route()
