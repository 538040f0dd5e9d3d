/** A chapter's text, its code, and what of it is alive. */
import { useState } from 'preact/hooks'
import { speech } from '../language.ts'
import { GUIDE_WORDS, type GuideWords } from '../words-guide.ts'
import { scripts } from 'virtual:guide'
import { BytesPanel } from './bytes-panel.tsx'
import type { Chapter, PanelName, Part, Script } from './chapter.ts'
import { ParserPanel } from './parser-panel.tsx'
import { withLinks } from './headings.ts'
import { RunPanel } from './run-panel.tsx'
import { WaysPanel } from './ways-panel.tsx'

export function Parts({ chapter }: { chapter: Chapter }) {
  return (
    <>
      {chapter.parts.map((part, at) => (
        <PartOf key={at} part={part} slug={chapter.slug} />
      ))}
    </>
  )
}

function PartOf({ part, slug }: { part: Part; slug: string }) {
  switch (part.kind) {
    case 'html':
      // Of the build, of our own Markdown: nothing that anybody has published.
      return (
        <div
          class="text"
          dangerouslySetInnerHTML={{
            __html: withLinks(part.html, slug, GUIDE_WORDS[speech.language].linkTo),
          }}
        />
      )
    case 'code':
      return <Code html={part.html} language={part.language} />
    case 'run':
      return (
        <>
          <Code html={part.html} language="js" />
          <RunPanel part={part} script={scripts[slug]?.[part.run] as Script} />
        </>
      )
    case 'panel':
      return <Panel name={part.name} />
  }
}

function Panel({ name }: { name: PanelName }) {
  switch (name) {
    case 'bytes':
      return <BytesPanel />
    case 'parser':
      return <ParserPanel />
    case 'ways':
      return <WaysPanel />
  }
}

export function Code({ html, language }: { html: string; language: string }) {
  const words = GUIDE_WORDS[speech.language]
  const title = titleOf(language, words)
  return (
    <figure class={`code of-${language}`}>
      {title !== '' && (
        <figcaption>
          <span>{title}</span>
          {COPIED.has(language) && <Copy html={html} words={words} />}
        </figcaption>
      )}
      <pre dangerouslySetInnerHTML={{ __html: html }} />
    </figure>
  )
}

/** What somebody would type, and not what comes of it. */
const COPIED = new Set(['js', 'ts', 'html', 'sh', 'console', 'stream'])

function titleOf(language: string, words: GuideWords): string {
  switch (language) {
    case 'js':
      return 'JavaScript'
    case 'html':
      return 'HTML'
    case 'output':
      return words.prints
    case 'events':
      return words.events
    case 'console':
    case 'sh':
      return words.commands
    case 'stream':
      return words.stream
    default:
      return ''
  }
}

function Copy({ html, words }: { html: string; words: GuideWords }) {
  const [copied, setCopied] = useState(false)
  return (
    <button
      type="button"
      class="copy"
      onClick={() => void navigator.clipboard?.writeText(textOf(html)).then(() => setCopied(true))}
      onBlur={() => setCopied(false)}
    >
      {copied ? words.copied : words.copy}
    </button>
  )
}

/** Of commands with their answers only the commands. */
function textOf(html: string): string {
  const text = new DOMParser().parseFromString(`<pre>${html}`, 'text/html').body.textContent
  const commands = text.split('\n').filter((line) => line.startsWith('$ '))
  return commands.length === 0 ? `${text}\n` : commands.map((line) => `${line.slice(2)}\n`).join('')
}
