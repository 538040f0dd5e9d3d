/**
 * Request smuggling by HTTP/2: the proxies of docs/deploy speak it to browsers and HTTP/1.1 to the hub, and what is a mere value in the
 * one is the end of a request in the other. And the hub speaks it by itself.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Field, fields, FLAG, frame, PREFACE, TYPE } from '../packages/hub/test/http2/frames.ts'
import { assertMeant, describeWays, Talk } from './helpers/smuggling.ts'

const SMUGGLED = 'GET /channels/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'
const CHUNKED = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
const BEHIND_CHUNKS = `0\r\n\r\n${SMUGGLED}`

type Fields = readonly Field[]

const PSEUDO = {
  ':method': 'POST',
  ':scheme': 'https',
  ':path': '/channels/attack',
  ':authority': 'localhost',
}

/** A publish with more fields, or with others in place of the first four. */
const post = (more: Fields, instead: Partial<typeof PSEUDO> = {}): Fields => [
  ...Object.entries({ ...PSEUDO, ...instead }),
  ...more,
]

const CASES: readonly (readonly [what: string, fields: Fields, body?: string])[] = [
  ['a length of nothing', post([['content-length', '0']]), SMUGGLED],
  ['a length that is too short', post([['content-length', '4']]), SMUGGLED],
  ['a length that is too long', post([['content-length', '400']]), SMUGGLED],
  [
    'two lengths',
    post([
      ['content-length', '0'],
      ['content-length', `${SMUGGLED.length}`],
    ]),
    SMUGGLED,
  ],
  ['a length with a sign', post([['content-length', `+${SMUGGLED.length}`]]), SMUGGLED],
  ['a length without a body', post([['content-length', '40']])],
  ['a coding', post([['transfer-encoding', 'chunked']]), BEHIND_CHUNKS],
  [
    'a coding and a length',
    post([
      ['transfer-encoding', 'chunked'],
      ['content-length', `${BEHIND_CHUNKS.length}`],
    ]),
    BEHIND_CHUNKS,
  ],
  ['a coding in capitals', post([['Transfer-Encoding', 'chunked']]), BEHIND_CHUNKS],
  ['a coding that is something else', post([['transfer-encoding', 'identity, chunked']]), CHUNKED],
  [
    'a connection field that names the length',
    post([
      ['connection', 'content-length'],
      ['content-length', '2'],
    ]),
    'ab',
  ],
  [
    'an upgrade',
    post([
      ['connection', 'upgrade'],
      ['upgrade', 'h2c'],
    ]),
    SMUGGLED,
  ],
  ['CRLF in a value', post([['x-a', 'b\r\ntransfer-encoding: chunked']]), BEHIND_CHUNKS],
  ['LF in a value', post([['x-a', 'b\ntransfer-encoding: chunked']]), BEHIND_CHUNKS],
  ['CR in a value', post([['x-a', 'b\rtransfer-encoding: chunked']]), BEHIND_CHUNKS],
  ['NUL in a value', post([['x-a', 'b\0c']]), BEHIND_CHUNKS],
  ['a request in a value', post([['x-a', `b\r\n\r\n${SMUGGLED}`]]), 'ab'],
  ['a request in a cookie', post([['cookie', `b\r\n\r\n${SMUGGLED}`]]), 'ab'],
  ['CRLF in a name', post([['x-a: b\r\ntransfer-encoding', 'chunked']]), BEHIND_CHUNKS],
  ['a colon in a name', post([['transfer-encoding: chunked\r\nx', 'y']]), BEHIND_CHUNKS],
  ['a space in a name', post([['transfer-encoding ', 'chunked']]), BEHIND_CHUNKS],
  ['an empty name', post([['', 'b']]), 'ab'],
  ['a request in the method', post([], { ':method': `${SMUGGLED}POST` }), 'ab'],
  ['a method with a space', post([], { ':method': 'GET /channels/smuggled HTTP/1.1\r\nX:' }), 'ab'],
  [
    'a request in the path',
    post([], { ':path': `/channels/attack HTTP/1.1\r\nHost: localhost\r\n\r\n${SMUGGLED}` }),
    'ab',
  ],
  ['a version in the path', post([], { ':path': '/channels/attack HTTP/1.1' }), 'ab'],
  ['a path that is none', post([], { ':path': 'http://localhost/channels/smuggled' }), 'ab'],
  ['a request in the authority', post([], { ':authority': `localhost\r\n\r\n${SMUGGLED}` }), 'ab'],
  [
    'a request in the scheme',
    post([], { ':scheme': `https://localhost/channels/smuggled HTTP/1.1\r\n\r\n` }),
    'ab',
  ],
  ['a host that is not the authority', post([['host', 'evil.example']]), 'ab'],
  ['a field before the method', [['x-a', 'b'], ...post([])], 'ab'],
  ['two methods', post([[':method', 'GET']]), 'ab'],
  ['two paths', post([[':path', '/channels/smuggled']]), 'ab'],
  [
    'a request for a tunnel',
    [
      [':method', 'CONNECT'],
      [':authority', 'localhost:4080'],
    ],
    SMUGGLED,
  ],
]

describeWays(['tls', 'nginx', 'haproxy', 'caddy'], (way) => {
  test('a publish without guile comes through', async () => {
    const talk = new Talk(way().open('h2'))
    talk.send(asFrames(post([['content-length', '2']]), 'ab'))
    await talk.until(() => talk.text.includes('"ids"'))
    await assertMeant(way(), { socket: talk.socket, statuses: [200] })
    assert.equal(way().seen.filter(({ path }) => path === '/channels/attack').length, 1)
  })

  for (const [what, head, body] of CASES) {
    test(what, async () => {
      const attack = new Talk(way().open('h2'))
      attack.send(asFrames(head, body))
      // One request, whatever it is answered.
      await assertMeant(way(), { socket: attack.socket, statuses: [] })
    })
  }
})

/** A connection's first bytes, and one request on it. */
function asFrames(head: Fields, body?: string): Buffer {
  const end = body === undefined ? FLAG.endStream : 0
  return Buffer.concat([
    Buffer.from(PREFACE),
    frame(TYPE.settings, 0, 0),
    frame(TYPE.headers, FLAG.endHeaders | end, 1, fields(head)),
    ...(body === undefined ? [] : [frame(TYPE.data, FLAG.endStream, 1, Buffer.from(body))]),
  ])
}
