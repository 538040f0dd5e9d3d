/** What becomes of the URL: 9.2.2, steps 3-5 of the constructor. */
import { ok, same, throws, throwsTypeError } from '../assert.ts'
import type { Case, EventSourceClass, Kit, Reasons } from '../case.ts'
import { HANG, stream } from '../script.ts'

const answers = [[HANG]]

/** Where page and worker are served: see `environment-chromium`. Nothing else tells what is right. */
const FOLDERS = { page: '/pages/', worker: '/scripts/', shared: '/scripts/' } as const

const NO_BASE = 'there is no document and no worker script that a URL could be relative to'

const urlOf = (EventSource: EventSourceClass, url: unknown): string => {
  const source = new EventSource(url as string)
  source.close()
  return source.url
}

const isSyntaxError = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'SyntaxError' && error.code === 12

const folderOf = ({ tags, origin }: Kit): string => {
  for (const [tag, folder] of Object.entries(FOLDERS))
    if (tags.some((one) => one === tag)) return origin + folder
  throw new Error('no folder')
}

const relative: readonly (readonly [what: string, url: unknown, path: string])[] = [
  ['a name', 'stream', 'stream'],
  ['a query', 'stream?a=1&b=é', 'stream?a=1&b=%C3%A9'],
  ['null', null, 'null'],
  ['undefined', undefined, 'undefined'],
  ['a number', 5, '5'],
  ['an object', { toString: () => 'x/y' }, 'x/y'],
  ['an array', ['a'], 'a'],
  ['blanks around', ' \n stream\t ', 'stream'],
]

const invalid: readonly (readonly [what: string, url: string, deviates?: Reasons])[] = [
  [
    'a blank in the host',
    'http://this is invalid/',
    { chromium: 'Chromium takes a blank in a host for %20' },
  ],
  ['a port that is none', 'http://localhost:99999/'],
  ['no host', 'http://'],
  ['an address that is none', 'http://1.2.3.4.5.256/'],
  ['brackets', 'http://[::1/'],
]

export const urlCases: readonly Case[] = [
  ...relative.map(([what, url, path]): Case => ({
    name: `a URL is relative to the document or the worker's script: ${what}`,
    statements: [2, 3],
    skip: { process: NO_BASE },
    run: (kit) => same(urlOf(kit.EventSource, url), folderOf(kit) + path),
  })),
  {
    name: "a URL is relative to the document or the worker's script: with a slash",
    statements: [3],
    skip: { process: NO_BASE },
    run: ({ EventSource, origin }) => {
      same(urlOf(EventSource, '/stream'), `${origin}/stream`)
      same(urlOf(EventSource, '../a/./b'), `${origin}/a/b`)
      same(urlOf(EventSource, `//${new URL(origin).host}/x`), `${origin}/x`)
    },
  },
  {
    name: 'an empty URL is that of the document or the worker',
    statements: [2, 3],
    skip: { process: NO_BASE },
    run: ({ EventSource }) => {
      const own = globalThis.location.href
      ok(own.includes('/pages/') || own.includes('/scripts/'), own)
      same(urlOf(EventSource, ''), own)
    },
  },
  {
    name: 'a URL is relative to the base element of the document',
    statements: [3],
    skip: {
      process: NO_BASE,
      worker: 'workers have no base element',
      shared: 'workers have no base element',
    },
    run: ({ EventSource, otherOrigin }) => {
      const base = document.createElement('base')
      base.href = `${otherOrigin}/elsewhere/page`
      document.head.append(base)
      try {
        same(urlOf(EventSource, 'stream'), `${otherOrigin}/elsewhere/stream`)
      } finally {
        base.remove()
      }
    },
  },
  {
    name: 'a relative URL is what the server is asked for',
    statements: [3],
    answers: [stream('data: a\n\n', HANG)],
    skip: { process: NO_BASE },
    run: async (kit) => {
      const told = kit.watch(`..${new URL(kit.url('stream?relative')).pathname}?relative`)
      await told.nth('message')
      const { requests } = await kit.log()
      same(
        requests.map(({ path }) => path),
        ['stream?relative'],
      )
    },
  },
  {
    name: 'a relative URL is a SyntaxError where there is nothing that it could be relative to',
    statements: [3],
    skip: { chromium: 'there is a document or a worker script', deno: 'see the next case' },
    run: ({ EventSource }) => throws(() => new EventSource('stream'), isSyntaxError, 'a relative URL'),
  },
  ...invalid.map(([what, url, deviates]): Case => ({
    name: `a URL that cannot be parsed is a SyntaxError: ${what}`,
    statements: [3],
    deviates,
    run: ({ EventSource }) => throws(() => new EventSource(url), isSyntaxError, url),
  })),
  {
    name: 'a URL object is as good as its text',
    statements: [2],
    answers,
    run: ({ EventSource, url }) => same(urlOf(EventSource, new URL(url('stream?a'))), url('stream?a')),
  },
  {
    name: 'an object is made a string',
    statements: [2],
    answers,
    run: ({ EventSource, url }) => same(urlOf(EventSource, { toString: () => url('a') }), url('a')),
  },
  {
    name: 'a symbol is a TypeError',
    statements: [2],
    run: ({ EventSource }) =>
      throwsTypeError(() => new EventSource(Symbol('url') as unknown as string), 'a symbol'),
  },
  {
    name: 'an error of toString goes to the caller',
    statements: [2],
    run: ({ EventSource }) => {
      const error = new RangeError('mine')
      const url = {
        toString(): string {
          throw error
        },
      }
      throws(
        () => urlOf(EventSource, url),
        (thrown) => thrown === error,
        'toString',
      )
    },
  },
  {
    name: 'a lone surrogate in the URL becomes U+FFFD',
    statements: [2],
    answers,
    run: ({ EventSource, url }) => same(urlOf(EventSource, url('a\uD800b')), url('a%EF%BF%BDb')),
  },
  {
    name: 'url is serialized: host in lower case, default port and dots gone, the rest encoded',
    statements: [4],
    run: ({ EventSource }) => {
      same(urlOf(EventSource, 'HTTP://LocalHost:80/a/../é?é#é'), 'http://localhost/%C3%A9?%C3%A9#%C3%A9')
    },
  },
  {
    name: 'url keeps the fragment, which the server is not told',
    statements: [4],
    answers: [stream('data: a\n\n', HANG)],
    run: async ({ watch, url, log }) => {
      const told = watch(url('stream?q#part'))
      await told.nth('message')
      same(told.source.url, url('stream?q#part'))
      same(
        (await log()).requests.map(({ path }) => path),
        ['stream?q'],
      )
    },
  },
  {
    name: 'url stays the same after the source was closed',
    statements: [4],
    answers,
    run: ({ open, url }) => {
      const source = open()
      source.close()
      same(source.url, url())
    },
  },
]
