/** `virtual:guide`: the chapters of docs/guide, made into what the page shows. Their scripts are code of the page: it may run no other. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { makeGuide, type Made, type Source } from './chapter.ts'

const NAME = 'virtual:guide'
const GUIDE = new URL('../../../docs/guide/', import.meta.url)
const STAGE = '{ EventSource, WebSocket, fetch, location, print, publish, disconnect }'

export function guide(): Plugin {
  return {
    name: 'guide',
    // Asked for this one module only, not for each.
    resolveId: { filter: { id: /^virtual:guide$/ }, handler: () => `\0${NAME}` },
    load: {
      filter: { id: /^\0virtual:guide$/ },
      handler() {
        for (const file of filesOf('en').concat(filesOf('ru'))) this.addWatchFile(fileURLToPath(file))
        return moduleOf(readAll())
      },
    },
  }
}

/** Both languages of a chapter beside each other, and its scripts: what they have in common is compressed away. */
function moduleOf({ en, ru }: { readonly en: Made; readonly ru: Made }): string {
  const chapters = en.chapters.map((chapter, at) => {
    const scripts = (en.scripts[chapter.slug] ?? []).map((code) => `async (${STAGE}) => {\n${code}\n}`)
    return `{ en: ${JSON.stringify(chapter)}, ru: ${JSON.stringify(ru.chapters[at])}, scripts: [${scripts.join(', ')}] }`
  })
  return `const all = [${chapters.join(',\n')}]
export const chapters = { en: all.map(({ en }) => en), ru: all.map(({ ru }) => ru) }
export const scripts = Object.fromEntries(all.map(({ en, scripts }) => [en.slug, scripts]))`
}

/** @throws {Error} for a link or a mark that leads nowhere, and when the languages have different headings or scripts */
export function readAll(): { readonly en: Made; readonly ru: Made } {
  const sources = { en: filesOf('en').map(sourceOf), ru: filesOf('ru').map(sourceOf) }
  const repository = repositoryOf()
  const en = makeGuide(sources.en, { repository })
  const ru = makeGuide(sources.ru, { named: sources.en, repository })
  if (JSON.stringify(ru.scripts) !== JSON.stringify(en.scripts))
    throw new Error('Expected the same scripts in each language')
  return { en, ru }
}

function filesOf(language: string): readonly URL[] {
  const folder = new URL(`${language}/`, GUIDE)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => new URL(name, folder))
}

function sourceOf(file: URL): Source {
  return { slug: file.pathname.replace(/^.*\//, '').replace(/\.md$/, ''), text: readFileSync(file, 'utf8') }
}

/** Where the other documents can be read, once the package says where it lives (docs/releasing.md). */
function repositoryOf(): string | undefined {
  const file = new URL('../../../packages/hub/package.json', import.meta.url)
  const { repository } = JSON.parse(readFileSync(file, 'utf8')) as { repository?: { url: string } }
  return repository?.url.replace(/^git\+/, '').replace(/(\.git)?$/, '/blob/main/')
}
