/**
 * Request smuggling: bytes in which one server sees one request and another sees two. Each case of the table is sent to the hub itself
 * and through the proxies of docs/deploy. The hub must never see a request that whoever stood before it did not mean: as many
 * requests as there were answers, each with the proxy's own word of who asked, and those of other people untouched.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertMeant, describeWays, Talk } from './helpers/smuggling.ts'

const SMUGGLED = 'GET /channels/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'
/** As one chunk, with its end. */
const CHUNKED = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
/** An end of chunks, and then a request. */
const BEHIND_CHUNKS = `0\r\n\r\n${SMUGGLED}`

/** A publish; the lines of its head are parted by CRLF unless they say otherwise. */
const post = (lines: readonly string[], body: string): string =>
  `POST /channels/attack HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n${body}`
const length = (body: string): string => `Content-Length: ${body.length}`

interface Case {
  readonly what: string
  readonly bytes: string
  /** What the hub itself answers first, when nothing is before it; 0: nothing, it waits for the rest or cuts the connection. */
  readonly hub: number
}

const TE = 'Transfer-Encoding: chunked'

/** Each with a length that ends after the second request, and a coding that ends before it, or the other way round. */
const obfuscated = (what: string, coding: string): readonly Case[] => [
  { what: `CL.TE, ${what}`, bytes: post([length(BEHIND_CHUNKS), coding], BEHIND_CHUNKS), hub: 400 },
  { what: `TE.CL, ${what}`, bytes: post(['Content-Length: 4', coding], CHUNKED), hub: 400 },
]

const CASES: readonly Case[] = [
  // RFC 9112 6.3: both is an attack, or as good as one.
  ...obfuscated('plain', TE),
  { what: 'TE before CL', bytes: post([TE, length(BEHIND_CHUNKS)], BEHIND_CHUNKS), hub: 400 },
  { what: 'CL.0 with a coding', bytes: post(['Content-Length: 0', TE], CHUNKED), hub: 400 },

  // TE.TE: one of two does not see the coding.
  ...obfuscated('a coding with a letter too many', 'Transfer-Encoding: xchunked'),
  ...obfuscated('a coding that is not the last', 'Transfer-Encoding: chunked, identity'),
  ...obfuscated('two codings', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked'),
  ...obfuscated('two codings, the other way', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x'),
  ...obfuscated('a space before the colon', 'Transfer-Encoding : chunked'),
  ...obfuscated('a tab before the colon', 'Transfer-Encoding\t: chunked'),
  ...obfuscated('a tab after the colon', 'Transfer-Encoding:\tchunked'),
  ...obfuscated('a vertical tab', 'Transfer-Encoding:\x0bchunked'),
  ...obfuscated('a form feed', 'Transfer-Encoding: chunked\x0c'),
  ...obfuscated('quotes', 'Transfer-Encoding: "chunked"'),
  ...obfuscated('capitals', 'tRANSFER-eNCODING: CHUNKED'),
  ...obfuscated('a folded line', 'Transfer-Encoding:\r\n chunked'),
  ...obfuscated('a folded line of another header', 'X-A: b\r\n Transfer-Encoding: chunked'),
  ...obfuscated('a leading space', ' Transfer-Encoding: chunked'),
  ...obfuscated('a NUL in the name', 'Transfer-Encoding\0: chunked'),
  ...obfuscated('a NUL in the value', 'Transfer-Encoding: chunked\0'),
  ...obfuscated('a bare CR before it', 'X-A: b\rTransfer-Encoding: chunked'),
  ...obfuscated('a bare LF before it', 'X-A: b\nTransfer-Encoding: chunked'),
  // No coding for the hub.
  {
    what: 'CL.TE, an underscore',
    bytes: post([length(BEHIND_CHUNKS), 'Transfer_Encoding: chunked'], BEHIND_CHUNKS),
    hub: 200,
  },
  ...obfuscated('a non-ASCII space', 'Transfer-Encoding:\xa0chunked'),
  ...obfuscated('an empty value', 'Transfer-Encoding:'),
  { what: 'a coding that nobody knows', bytes: post(['Transfer-Encoding: gzip'], SMUGGLED), hub: 400 },
  {
    what: 'a coding on HTTP/1.0',
    bytes: post([TE], CHUNKED).replace('HTTP/1.1', 'HTTP/1.0'),
    hub: 200,
  },

  // Lengths of which each server takes another.
  {
    what: 'two lengths',
    bytes: post(['Content-Length: 0', length(SMUGGLED)], SMUGGLED),
    hub: 400,
  },
  {
    what: 'two lengths, the other way',
    bytes: post([length(SMUGGLED), 'Content-Length: 0'], SMUGGLED),
    hub: 400,
  },
  { what: 'a list of lengths', bytes: post([`${length(SMUGGLED)}, 0`], SMUGGLED), hub: 400 },
  { what: 'the same length twice', bytes: post(['Content-Length: 2, 2'], `ab${SMUGGLED}`), hub: 400 },
  ...[
    '+2',
    '-2',
    '0x2',
    '2.0',
    '2 3',
    '2e0',
    '0b10',
    '',
    '2;',
    '٢',
    '99999999999999999999',
    '18446744073709551618',
  ].map((value): Case => ({
    what: `the length ${JSON.stringify(value)}`,
    bytes: post([`Content-Length: ${value}`], `ab${SMUGGLED}`),
    hub: 400,
  })),
  {
    what: 'a space before the colon of a length',
    bytes: post([`Content-Length : ${SMUGGLED.length}`], SMUGGLED),
    hub: 400,
  },
  { what: 'a folded length', bytes: post([`Content-Length: 0\r\n ${SMUGGLED.length}`], SMUGGLED), hub: 400 },
  {
    what: 'a length with an underscore',
    bytes: post([`Content_Length: ${SMUGGLED.length}`], SMUGGLED),
    hub: 200,
  },
  {
    what: 'a length named by Connection',
    bytes: post([length(SMUGGLED), 'Connection: Content-Length'], SMUGGLED),
    hub: 200,
  },
  {
    what: 'a coding named by Connection',
    bytes: post([TE, 'Connection: Transfer-Encoding'], CHUNKED),
    hub: 200,
  },

  // Chunks.
  { what: 'a chunk extension', bytes: post([TE], `2;a=b\r\nab\r\n0;c="d"\r\n\r\n`), hub: 200 },
  {
    what: 'a chunk extension with a bare LF',
    bytes: post([TE], `2;a\nab\r\n0\r\n\r\n${SMUGGLED}`),
    hub: 400,
  },
  { what: 'a chunk extension with a bare CR', bytes: post([TE], `2;a\rab\r\n0\r\n\r\n`), hub: 400 },
  { what: 'a bare LF after a size', bytes: post([TE], `2\nab\r\n0\r\n\r\n`), hub: 400 },
  { what: 'a bare LF after data', bytes: post([TE], `2\r\nab\n0\r\n\r\n`), hub: 400 },
  { what: 'bare LFs at the end', bytes: post([TE], `2\r\nab\r\n0\n\n${SMUGGLED}`), hub: 400 },
  { what: 'data longer than its size', bytes: post([TE], `1\r\nab\r\n0\r\n\r\n`), hub: 400 },
  { what: 'two bytes for the end of data', bytes: post([TE], `2\r\nabXX0\r\n\r\n${SMUGGLED}`), hub: 400 },
  ...['0x2', '+2', '-2', ' 2', '2 ', '', '2_', '10000000000000002', '2\t', '2,'].map((size): Case => ({
    what: `the size ${JSON.stringify(size)}`,
    bytes: post([TE], `${size}\r\nab\r\n0\r\n\r\n`),
    hub: 400,
  })),
  { what: 'a size beyond all limits', bytes: post([TE], `fffffffffffffffe\r\nab\r\n0\r\n\r\n`), hub: 0 },
  {
    what: 'a trailer that is a length',
    bytes: post([TE], `2\r\nab\r\n0\r\nContent-Length: 50\r\n\r\n`),
    hub: 400,
  },
  { what: 'a trailer without its end', bytes: post([TE], `2\r\nab\r\n0\r\nX: ${SMUGGLED}`), hub: 200 },

  // Heads.
  {
    what: 'a head of bare LFs',
    bytes: `POST /channels/attack HTTP/1.1\nHost: localhost\n${length(SMUGGLED)}\n\n${SMUGGLED}`,
    hub: 400,
  },
  {
    what: 'a head of bare CRs',
    bytes: `POST /channels/attack HTTP/1.1\rHost: localhost\r${length(SMUGGLED)}\r\r${SMUGGLED}`,
    hub: 400,
  },
  { what: 'a bare CR in a value', bytes: post([`X-A: b\r${length(SMUGGLED)}`], SMUGGLED), hub: 400 },
  { what: 'a NUL in a value', bytes: post(['X-A: b\0c', length('ab')], 'ab'), hub: 400 },
  { what: 'a NUL in a name', bytes: post(['X\0A: b', length('ab')], 'ab'), hub: 400 },
  { what: 'a line without a colon', bytes: post(['X-A', length('ab')], 'ab'), hub: 400 },
  { what: 'a line without a name', bytes: post([': b', length('ab')], 'ab'), hub: 400 },
  {
    what: 'a folded first line',
    bytes: `GET /channels/attack HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n`,
    hub: 400,
  },
  {
    what: 'a request in the request line',
    bytes: `GET /channels/attack HTTP/1.1\r${SMUGGLED}\r\n`,
    hub: 400,
  },
  {
    what: 'two versions',
    bytes: `GET /channels/attack HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    hub: 400,
  },
  {
    what: 'a version that is none',
    bytes: post([length('ab')], 'ab').replace('HTTP/1.1', 'HTTP/1.10'),
    hub: 400,
  },
  { what: 'two hosts', bytes: post(['Host: evil.example', length('ab')], 'ab'), hub: 400 },
  { what: 'a GET with a body', bytes: post([length(SMUGGLED)], SMUGGLED).replace('POST', 'GET'), hub: 200 },
  { what: 'a GET with chunks', bytes: post([TE], CHUNKED).replace('POST', 'GET'), hub: 200 },
  { what: 'a HEAD with a body', bytes: post([length(SMUGGLED)], SMUGGLED).replace('POST', 'HEAD'), hub: 200 },
  {
    what: 'an upgrade with a body',
    bytes: post(
      [length(SMUGGLED), 'Connection: upgrade', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
      SMUGGLED,
    ),
    hub: 200,
  },
  {
    what: 'a wait for 100 with a body',
    bytes: post(['Expect: 100-continue', length(SMUGGLED)], SMUGGLED),
    hub: 200,
  },
  {
    what: 'a wait for something else',
    bytes: post(['Expect: 100-continue\r\n x', length(SMUGGLED)], SMUGGLED),
    hub: 400,
  },
  {
    what: 'a stream with a request behind it',
    bytes: `GET /channels/attack HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n${length(SMUGGLED)}\r\n\r\n${SMUGGLED}`,
    hub: 200,
  },
]

describeWays(['nothing', 'tls', 'nginx', 'haproxy', 'caddy'], (way) => {
  for (const { what, bytes, hub } of CASES) {
    test(what, async () => {
      const attack = new Talk(way().open('http/1.1'))
      attack.send(Buffer.from(bytes, 'latin1'))
      await assertMeant(way(), attack)
      if (!way().proxied) assert.equal(attack.statuses[0] ?? 0, hub)
    })
  }
})
