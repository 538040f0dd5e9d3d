/** The console at `/`: one file, with a policy that lets nothing run on it but its own script and style. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Headers } from './message.ts'

/** From `src/http` and from `dist/http` alike. */
const FILE = new URL('../../pages/index.html', import.meta.url)

export interface ServedPage {
  readonly headers: Headers
  readonly body: string
}

export const PAGE_HEADERS = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' }

/** In a checkout it is built by `npm start`, and comes built with the package. */
const NOT_BUILT =
  '<!doctype html><html lang="en"><title>Downlink</title><p>The console has not been built: ' +
  '<code>npm run console</code> builds it, then start the hub again.'

export function consolePage(file: URL = FILE): ServedPage {
  const body = textOf(file) ?? NOT_BUILT
  const policy = { 'content-security-policy': policyOf(body), 'referrer-policy': 'no-referrer' }
  return { headers: { ...PAGE_HEADERS, ...policy }, body }
}

function textOf(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
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
  const hashes = blocksOf(html, element).map((text) => {
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  })
  return hashes.length === 0 ? "'none'" : hashes.join(' ')
}

/** The page is our own build's: no other attributes. */
function blocksOf(html: string, element: 'script' | 'style'): readonly string[] {
  const open = element === 'script' ? '<script type="module">' : '<style>'
  const [, ...rest] = html.split(open)
  return rest.map((text) => text.slice(0, Math.max(0, text.indexOf(`</${element}>`))))
}
