/** The page at `/`: one file, with a policy that lets nothing run on it but its own script and style. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Headers } from '../http/message.ts'
import { Failure, reasonOf } from './failure.ts'

/** From `src/cli` and from `dist/cli` alike. */
const FILE = new URL('../../pages/index.html', import.meta.url)

export interface ServedPage {
  readonly headers: Headers
  readonly body: string
}

const HEADERS = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' }

/** The hub's own page. @throws {Failure} when the file can't be read */
export function loadPage(file: URL = FILE): ServedPage {
  const body = read(fileURLToPath(file))
  const policy = { 'content-security-policy': policyOf(body), 'referrer-policy': 'no-referrer' }
  return { headers: { ...HEADERS, ...policy }, body }
}

/** A page of the user's own, which may load what it likes. @throws {Failure} when the file can't be read */
export function loadOwnPage(path: string): ServedPage {
  return { headers: HEADERS, body: read(path) }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`The page ${path} can't be read: ${reasonOf(error)}`, { cause: error })
  }
}

/** The page shows what strangers have published: a hole in it must not become a script. */
function policyOf(html: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashesOf(html, 'script')}`,
    `style-src ${hashesOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function hashesOf(html: string, element: 'script' | 'style'): string {
  const blocks = html.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'))
  const hashes = Array.from(blocks, ([, text = '']) => {
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  })
  return hashes.length === 0 ? "'none'" : hashes.join(' ')
}
