/** One file of HTML with all in it: the hub serves it at `/`, under a policy that allows nothing else. */
import { defineConfig, type Plugin } from 'vite'
import { guide } from './build/guide-plugin.ts'

function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_, bundle) {
      const page = bundle['index.html']
      if (page?.type !== 'asset') throw new Error('Expected an index.html')
      let html = String(page.source)
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === 'chunk') {
          const code = file.code.replaceAll('</script', String.raw`<\/script`).trim()
          html = html.replace(/<script type="module"[^>]*src="[^"]*"><\/script>/, '')
          html = html.replace('</body>', () => `<script type="module">${code}</script></body>`)
          delete bundle[name]
        } else if (name.endsWith('.css')) {
          html = html.replace(
            /<link rel="stylesheet"[^>]*>/,
            () => `<style>${String(file.source).trim()}</style>`,
          )
          delete bundle[name]
        }
      }
      page.source = html
    },
  }
}

export default defineConfig({
  plugins: [guide(), oneFile()],
  resolve: { conditions: ['@downlink/source', 'browser', 'module', 'import'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 1e6,
    cssCodeSplit: false,
    modulePreload: false,
  },
})
