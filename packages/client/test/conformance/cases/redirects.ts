/** Redirects. */
import { ok, same } from '../assert.ts'
import type { Case, Reasons } from '../case.ts'
import { HANG, OPEN_HEAD, RESET, head, redirect, soon, status, stream } from '../script.ts'

const FINAL_URL: Reasons = { native: 'Chromium reconnects to the URL that it was redirected to' }

export const redirectCases: readonly Case[] = [
  ...[301, 302, 303, 307, 308].map((code): Case => ({
    name: `a redirect is followed: ${code}`,
    statements: [4, 24],
    answers: ({ path }) => (path === 'stream' ? redirect(code, 'target?q') : stream('data: a\n\n', HANG)),
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
      same(told.source.url, kit.url(), 'url')
      const { requests } = await kit.log()
      same(
        requests.map(({ method, path }) => `${method} ${path}`),
        ['GET stream', 'GET target?q'],
      )
      for (const { headers } of requests) same(headers['accept'], 'text/event-stream')
    },
  })),
  ...[301, 302, 303, 307, 308].map((code): Case => ({
    name: `a redirect to another origin is followed, and is the origin of events: ${code}`,
    statements: [24, 57],
    answers: ({ path, otherOrigin, folder }) =>
      path === 'stream' ? redirect(code, `${otherOrigin}${folder}target`) : [OPEN_HEAD, 'data: a\n\n', HANG],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same([told.messages[0]?.origin, told.source.url], [kit.otherOrigin, kit.url()])
    },
  })),
  {
    name: 'after a redirect there and back again the own origin is that of events',
    statements: [24, 57],
    skip: { chromium: 'CORS takes the origin away from a request that went elsewhere and back' },
    answers: ({ path, otherOrigin, folder }) => {
      if (path === 'stream') return redirect(302, `${otherOrigin}${folder}between`)
      if (path === 'between') return redirect(302, `${otherOrigin}${folder}target`)
      return [OPEN_HEAD, 'data: a\n\n', HANG]
    },
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same(told.messages[0]?.origin, kit.origin)
    },
  },
  {
    name: 'a chain of ten redirects is followed',
    statements: [24],
    answers: ({ number }) => (number < 10 ? redirect(302, `hop${number}`) : stream('data: a\n\n', HANG)),
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message')
      same(told.notes, ['open 1', 'message a'])
    },
  },
  ...[204, 404, 500].map((code): Case => ({
    name: `a redirect to a status that is final is final: ${code}`,
    statements: [21, 24],
    answers: [redirect(302, 'target'), status(code), stream('data: asked again\n\n', HANG)],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      await kit.quiet(150)
      same(told.notes, ['error 2'])
    },
  })),
  {
    name: 'a redirect to another type is final',
    statements: [22, 24],
    answers: [redirect(302, 'target'), [head(200, { 'Content-Type': 'text/html' }), '<p>']],
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error')
      same(told.notes, ['error 2'])
    },
  },
  {
    name: 'a redirect whose target breaks is a network error, and asked again',
    statements: [24, 25],
    answers: ({ number, path }) => {
      if (number === 0) return soon('data: a\n\n')
      if (path === 'stream') return redirect(302, 'target')
      return number === 2 ? [RESET] : stream('data: b\n\n', HANG)
    },
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('message', 2)
      same(told.notes, ['open 1', 'message a', 'error 0', 'error 0', 'open 1', 'message b'])
    },
  },
  {
    name: 'the id is sent through a redirect',
    statements: [17, 24],
    answers: ({ number }) => {
      if (number === 0) return soon('id: é\ndata: a\n\n')
      return number === 1 ? redirect(302, 'target') : stream('data: b\n\n', HANG)
    },
    run: async (kit) => {
      await kit.watch().nth('message', 2)
      const { requests } = await kit.log()
      same(
        requests.map(({ headers }) => headers['last-event-id']),
        [undefined, 'Ã©', 'Ã©'],
      )
    },
  },
  ...[302, 307].map((code): Case => ({
    name: `a reconnection goes to the URL that the source was made with: after ${code}`,
    statements: [24, 31],
    deviates: FINAL_URL,
    answers: ({ path }) => (path === 'stream' ? redirect(code, 'target') : soon('data: a\n\n')),
    run: async (kit) => {
      await kit.watch().nth('message', 2)
      const { requests } = await kit.log()
      same(
        requests.slice(0, 4).map(({ path }) => path),
        ['stream', 'target', 'stream', 'target'],
      )
    },
  })),
  {
    name: 'redirects without end open nothing, and are asked for again at the most',
    statements: [24, 25],
    answers: ({ number }) => (number === 0 ? soon() : redirect(302, `hop${number}`)),
    run: async (kit) => {
      const told = kit.watch()
      await told.nth('error', 2)
      const { requests } = await kit.log()
      same(told.notes.slice(0, 2), ['open 1', 'error 0'])
      ok(requests.length <= 150, `${requests.length} requests`)
    },
  },
]
