/** Where a token may stand in a request: a header, a cookie, the URL. */
import { tokenOf } from '../../packages/hub/src/auth/credentials.ts'
import { Refusal } from '../../packages/hub/src/auth/refusal.ts'
import { headerSafe, mutateText, NASTY } from '../mutate.ts'
import { must, outcome, type Target } from '../target.ts'

interface Input {
  /** `''`: none. */
  readonly authorization: string
  readonly cookie: string
  readonly url: string
  readonly host: string
  readonly foreign: boolean
  readonly own: boolean
}

const AUTHORIZATIONS = [
  '',
  '',
  'Bearer S.3.cret',
  'bearer S.3.cret',
  'Bearer  S==',
  'Bearer',
  'Bearer a, Bearer b',
  'Bearer a b',
  'Basic UzpT',
  'BearerS',
  'Bearer S\t',
]
const COOKIES = [
  '',
  '',
  '__Host-downlink=S',
  'a=b; __Host-downlink=S; c=d',
  '__Host-downlink=S; __Host-downlink=T',
  '__Host-downlink="S"',
  '__Host-downlink=',
  'x__Host-downlink=S',
  'downlink=S',
  '__Host-downlink',
  '__host-downlink=S',
]
const HOSTS = ['localhost', 'localhost', 'hub.example', '', 'evil.example#.localhost']

export const credentials: Target<Input> = {
  name: 'credentials',
  claim: 'A token comes from one place, which says it once; a cookie counts for the pages of the hub only.',
  count: 1_000_000,
  short: 10_000,
  corpus: AUTHORIZATIONS.flatMap((authorization) =>
    COOKIES.map((cookie) => ({
      authorization,
      cookie,
      url: '',
      host: 'localhost',
      foreign: false,
      own: false,
    })),
  ),
  make(random) {
    const words = ['Bearer ', ',', ';', '=', '"', '__Host-downlink=', 'downlink=', ...NASTY.slice(0, 4)]
    const changed = (text: string): string =>
      headerSafe(random.oneIn(3) ? mutateText(random, text, words) : text)
    return {
      authorization: changed(random.pick(AUTHORIZATIONS)),
      cookie: changed(random.pick(COOKIES)),
      url: random.oneIn(6) ? random.text('aS.=', 5) : '',
      host: random.pick(HOSTS),
      foreign: random.oneIn(3),
      own: random.oneIn(4),
    }
  },
  check({ authorization, cookie, url, host, foreign, own }) {
    const headers: Readonly<Record<string, string>> = { authorization, cookie, host }
    const request = {
      header: (name: string) => headers[name] || undefined,
      accessToken: url === '' ? undefined : url,
      crossSite: () => (foreign ? 'Pages of another site may not' : undefined),
    }
    const name = own ? 'downlink' : '__Host-downlink'
    const found = outcome(() => tokenOf(request, { cookie: name, tokenInUrl: !own }), Refusal)
    if ('code' in found) {
      const secret = /S\.3\.cret/.test(found.error.message)
      must(
        !secret && !['unauthorized', 'forbidden', 'keys-unavailable'].includes(found.code),
        'a refusal says too much',
      )
      return found.code
    }
    const token = found.value
    if (token === undefined) {
      must(url === '', 'a token in the URL is passed over')
      return 'none'
    }
    must(token !== '' && token.length <= 8_192, 'it is too long, or empty')
    if (/^bearer(?:\s|,|$)/i.test(authorization)) {
      must(url === '', 'of two tokens one is taken')
      must(
        authorization.trim().endsWith(token) && /^[A-Za-z0-9._~+/=-]+$/.test(token),
        'it is not that of the header',
      )
      return 'header'
    }
    if (url !== '') {
      must(token === url && !own, 'a token in the URL counts where it may not')
      return 'url'
    }
    must(!foreign, 'a cookie counts for a page of another site')
    must(!own || host === 'localhost', 'a cookie that a neighbour may set counts')
    must(cookie.split(name).length - 1 >= 1 && cookie.includes(token), 'it is not that of the cookie')
    return 'cookie'
  },
}
