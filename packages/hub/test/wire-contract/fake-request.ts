/** A request as the pure parts see it. */
import type { HttpRequest } from '../../src/http/message.ts'

export function fakeRequest(
  query = '',
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): HttpRequest {
  return {
    method,
    path: '/channels/x',
    query,
    header: (name) => headers[name],
    headerNames: () => Object.keys(headers),
    address: '127.0.0.1',
    scheme: 'http',
    body: () => Promise.reject(new Error('This request has no body')),
    signal: new AbortController().signal,
    raw: undefined,
  }
}
