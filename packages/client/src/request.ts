/** What an EventSource asks, and which answer it takes: pure decisions. */

/**
 * The absolute URL: relative to the document, or to the worker's script.
 *
 * @throws {DOMException} `SyntaxError`
 */
export function resolveUrl(url: string): URL {
  const { document, location } = globalThis as Partial<typeof globalThis>
  try {
    if (!document) return new URL(url, location?.href)
    // A link takes the document's base and also its encoding, as the standard asks for.
    const link = document.createElement('a')
    link.href = url
    return new URL(link.href)
  } catch {
    throw new DOMException(`Expected a URL, got ${url}`, 'SyntaxError')
  }
}

/** A URL of which a request can be made: of another scheme, or with a name and a password, to try again would be futile. */
export const REQUESTABLE = /^https?:..[^/@]+\//

/** Bytes as the characters of a header (`Last-Event-ID` is UTF-8). */
export function byteString(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('')
}

/**
 * Whether the essence of this `Content-Type` is `text/event-stream`: of several types the last (Fetch 3.5, "extract a MIME type").
 * What is in quotes has no say, though it may have a comma.
 */
export function isEventStream(contentType: string | null): boolean {
  let essence = ''
  for (const part of `${contentType}`.replace(/"(\\.|[^"\\])*("|\\?$)/g, '"').split(',')) {
    const [, type] = /^[\t\n\r ]*([^\s;/]+\/[^\s;/]+)[\t\n\r ]*(;|$)/.exec(part) ?? []
    if (type && type !== '*/*') essence = type
  }
  return essence.toLowerCase() === 'text/event-stream'
}
