/** What a browser of today sends along with each request, for a crowd that no browser has asked for. */
import { readable } from './crowd/coding.ts'
import type { Plan } from './crowd/plan.ts'

/** Chromium's on Linux, of a page of the same origin: 450 bytes. */
export function browserHeaders(): Plan['headers'] {
  return [
    ['sec-ch-ua-platform', '"Linux"'],
    [
      'User-Agent',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    ],
    ['sec-ch-ua', '"Chromium";v="142", "Not_A Brand";v="99"'],
    ['sec-ch-ua-mobile', '?0'],
    ['Sec-Fetch-Site', 'same-origin'],
    ['Sec-Fetch-Mode', 'cors'],
    ['Sec-Fetch-Dest', 'empty'],
    ['Accept-Encoding', readable('gzip, deflate, br, zstd')],
    ['Accept-Language', 'en-US,en;q=0.9'],
  ]
}
