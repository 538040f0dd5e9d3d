/** The conformance cases in Chromium: its own EventSource, which proves that the cases are right, and ours. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Tag } from '../packages/client/test/conformance/case.ts'
import { bundle, runEnvironment } from '../packages/client/test/conformance/environment.ts'
import { startRawServer } from '../packages/client/test/conformance/raw-server.ts'
import { HANG, type Log, stream } from '../packages/client/test/conformance/script.ts'
import { useChromium } from './helpers/chromium.ts'

/** Chromium holds six connections to an origin, and each case needs a few: so many pages, each of an origin of its own. */
const ORIGINS = 8
/** How many cases run at a time in a page. */
const LANES = 2

const SCOPES = { page: 'page', worker: 'dedicated worker', shared: 'shared worker' } as const
type Scope = keyof typeof SCOPES

const browser = useChromium()

const PAGE =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script src="/scripts/cases.js"></script>'

/** The worker is told what to do by its first message, and answers when all is done. */
const WORKER = `
importScripts('/scripts/cases.js')
const serve = (port) => {
  port.onmessage = ({ data }) => void serveConformance(data).then(() => port.postMessage('done'))
}
if ('onconnect' in self) self.onconnect = ({ ports }) => serve(ports[0])
else serve(self)`

interface InPage {
  readonly scope: Scope
  readonly options: object
}

declare const serveConformance: (options: object) => Promise<void>
declare const conformanceEventSource: typeof EventSource

/** Runs in the page. */
async function serveIn({ scope, options }: InPage): Promise<void> {
  if (scope === 'page') return serveConformance(options)
  const worker =
    scope === 'worker' ? new Worker('/scripts/worker.js') : new SharedWorker('/scripts/worker.js')
  const port = worker instanceof Worker ? worker : worker.port
  await new Promise<void>((resolve, reject) => {
    worker.addEventListener('error', () => reject(new Error('The worker did not start')))
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it also starts the port
    port.onmessage = () => resolve()
    port.postMessage(options)
  })
}

for (const which of ['native', 'ours'] as const) {
  for (const scope of Object.keys(SCOPES) as Scope[]) {
    test(`${which === 'ours' ? 'our' : "Chromium's own"} EventSource in a ${SCOPES[scope]}`, async (t) => {
      const tags: Tag[] = [which, 'chromium', scope]
      await runEnvironment(t, {
        name: `${which} ${scope}`,
        tags,
        origins: ORIGINS,
        files: {
          '/pages/index.html': PAGE,
          '/scripts/cases.js': await bundle(which, 'iife'),
          '/scripts/worker.js': WORKER,
        },
        async start({ origins, otherOrigin }) {
          await Promise.all(
            origins.map(async (origin) => {
              const page = await browser.open(t, `${origin}/pages/index.html`)
              await page.evaluate(serveIn, { scope, options: { origin, otherOrigin, tags, lanes: LANES } })
            }),
          )
        },
      })
    })
  }
}

const ENDS: readonly (readonly [what: string, end: (page: Page) => Promise<unknown>])[] = [
  ['closed', (page) => page.close()],
  ['left', (page) => page.goto('about:blank')],
  ['loaded again', (page) => page.reload()],
]

for (const which of ['native', 'ours'] as const) {
  for (const [what, end] of ENDS) {
    const whose = which === 'ours' ? 'our' : "Chromium's own"
    test(`a page that is ${what} takes the connection of ${whose} EventSource with it`, async (t) => {
      const server = await startRawServer({
        answers: [[stream('data: a\n\n', HANG)]],
        origins: 1,
        files: { '/pages/index.html': PAGE, '/scripts/cases.js': await bundle(which, 'iife') },
        next: () => -1,
        report: () => {},
      })
      t.after(() => server.close())
      const [origin] = server.origins
      const page = await browser.open(t, `${origin}/pages/index.html`)
      await page.evaluate(
        () =>
          new Promise((resolve) => {
            new conformanceEventSource('/c/0/stream').addEventListener('message', resolve)
          }),
      )
      await end(page)
      const { requests } = (await (await fetch(`${origin}/control/0/log?closed=1`)).json()) as Log
      assert.deepEqual(
        requests.map(({ closed }) => closed !== undefined),
        [true],
      )
    })
  }
}
