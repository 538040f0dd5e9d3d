/** The examples for React, Vue, Svelte and Solid, built, and shown by Chromium from the origin of a real hub. */
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { build, type Plugin } from 'esbuild'
import { compile } from 'svelte/compiler'
import { compileScript, parse } from 'vue/compiler-sfc'
import { startHub } from '../packages/client/test/subscribe/hub.ts'
import { useChromium } from './helpers/chromium.ts'
import { examples } from './helpers/example.ts'

const browser = useChromium()

/** How each framework puts a component into a page, and takes it out: `mount(element)` returns what unmounts. */
const FRAMEWORKS = {
  'react.tsx': `import { createElement, StrictMode } from 'react'
    import { createRoot } from 'react-dom/client'
    import Orders from './react.tsx'
    globalThis.mount = (element) => {
      const root = createRoot(element)
      root.render(createElement(StrictMode, null, createElement(Orders)))
      return () => root.unmount()
    }`,
  'Vue.vue': `import { createApp } from 'vue'
    import Orders from './Vue.vue'
    globalThis.mount = (element) => {
      const app = createApp(Orders)
      app.mount(element)
      return () => app.unmount()
    }`,
  'Svelte.svelte': `import { mount, unmount } from 'svelte'
    import Orders from './Svelte.svelte'
    globalThis.mount = (target) => {
      const component = mount(Orders, { target })
      return () => unmount(component)
    }`,
  'solid.ts': `import { render } from 'solid-js/web'
    import Orders from './solid.ts'
    globalThis.mount = (element) => render(Orders, element)`,
}

/** The two that have files of their own kind, by their own compilers. */
const components: Plugin = {
  name: 'components',
  setup(bundler) {
    bundler.onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { js } = compile(await readFile(path, 'utf8'), { filename: path, generate: 'client' })
      return { contents: js.code, loader: 'js' }
    })
    bundler.onLoad({ filter: /\.vue$/ }, async ({ path }) => {
      const { descriptor, errors } = parse(await readFile(path, 'utf8'), { filename: path })
      assert.deepEqual(errors, [])
      const { content } = compileScript(descriptor, { id: 'orders', inlineTemplate: true })
      return { contents: content, loader: 'ts' }
    })
  },
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: join(examples, 'frameworks') },
    plugins: [components],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    conditions: ['@downlink/source', 'browser'],
    define: {
      'process.env.NODE_ENV': '"production"',
      __VUE_OPTIONS_API__: 'true',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
  })
  return outputFiles[0]?.text ?? ''
}

const closing = (request: IncomingMessage | undefined): Promise<void> =>
  new Promise((resolve) => request?.on('error', () => {}).once('close', resolve))

for (const [file, entry] of Object.entries(FRAMEWORKS)) {
  test(`examples/frameworks/${file} shows the newest orders and what comes, closes when it is taken out, and misses nothing`, async (t) => {
    const script = await bundle(entry)
    const { hub, url, requests } = await startHub(t, {
      before({ url }, response) {
        if (url !== '/') return false
        response.setHeader('content-type', 'text/html; charset=utf-8')
        response.end(`<!doctype html><main></main><script>${script}</script>`)
        return true
      },
    })
    const streams = (): readonly IncomingMessage[] =>
      requests.filter(({ url }) => url?.startsWith('/channels'))
    await hub.publish('orders', [{ data: 'from before' }, { data: 'the same' }, { data: 'the same' }])
    const page = await browser.open(t, url)
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    const shows = (phase: string, orders: readonly string[]) =>
      page.waitForFunction(
        (wanted) => {
          const texts = (name: string) => [...document.querySelectorAll(name)].map((each) => each.textContent)
          return JSON.stringify([texts('p'), texts('li')]) === wanted
        },
        JSON.stringify([[phase], orders]),
      )
    const toggle = (expression: string) => page.evaluate(expression)
    const mount = 'unmount = mount(document.querySelector("main")); 0'

    await toggle(mount)
    const first = ['from before', 'the same', 'the same']
    await shows('open', first)
    await hub.publish('orders', { data: 'new' })
    await shows('open', [...first, 'new'])
    assert.equal(streams().length, 1)

    const closed = closing(streams()[0])
    await toggle('unmount(); 0')
    await closed
    await hub.publish('orders', { data: 'meanwhile' })
    await toggle(mount)
    await shows('open', [...first, 'new', 'meanwhile'])
    assert.deepEqual(errors, [])
  })
}
