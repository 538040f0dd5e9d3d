/**
 * Markdown of the guide to what the page shows. Pure. Marks are comments, so that the text reads well anywhere else:
 * `<!-- live -->` before a script that runs on the page, `<!-- live: parser -->` where a panel stands.
 */
import { Marked, type Token, type Tokens } from 'marked'
import { type Chapter, PANELS, type PanelName, type Part, type Setup } from '../src/guide/chapter.ts'
import { colour, escapeHtml } from './colour.ts'

export interface Source {
  /** E.g. `03-event-source`. */
  readonly slug: string
  readonly text: string
}

export interface Made {
  readonly chapters: readonly Chapter[]
  /** By slug. */
  readonly scripts: Readonly<Record<string, readonly string[]>>
}

export interface MakeOptions {
  /** The chapters in the language that names headings in addresses; these themselves by default. */
  readonly named?: readonly Source[]
  /** Where the other documents can be read, e.g. `https://example.com/downlink/blob/main/`; without it they are named, not linked. */
  readonly repository?: string | undefined
}

/** As GitHub names headings in addresses. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** The headings' names in addresses, in order. */
export function slugsOf(text: string): readonly string[] {
  return headingsOf(new Marked().lexer(text)).map(({ text }) => slugOf(text.replaceAll('`', '')))
}

function headingsOf(tokens: readonly Token[]): readonly Tokens.Heading[] {
  return tokens.filter((token): token is Tokens.Heading => token.type === 'heading' && token['depth'] > 1)
}

/** @throws {Error} for a mark or a link that leads nowhere */
export function makeGuide(sources: readonly Source[], options: MakeOptions = {}): Made {
  const { named = sources } = options
  /** A heading's own name, in this language or in that of the addresses, to the one in addresses. */
  const names = new Map<string, ReadonlyMap<string, string>>()
  for (const [index, { slug, text }] of sources.entries()) {
    const ids = slugsOf(named[index]?.text ?? text)
    const own = slugsOf(text)
    if (own.length !== ids.length)
      throw new Error(`${slug}: Expected ${ids.length} headings, got ${own.length}`)
    names.set(
      slug,
      new Map([
        ...ids.map((id) => [id, id] as const),
        ...own.map((one, at) => [one, ids[at] ?? one] as const),
      ]),
    )
  }
  const scripts: Record<string, readonly string[]> = {}
  const chapters = sources.map((source) => {
    const made = makeChapter(source, names, options)
    scripts[source.slug] = made.scripts
    return made.chapter
  })
  return { chapters, scripts }
}

type Names = ReadonlyMap<string, ReadonlyMap<string, string>>

function makeChapter(
  { slug, text }: Source,
  names: Names,
  { repository }: MakeOptions,
): { chapter: Chapter; scripts: readonly string[] } {
  const marked = new Marked({ renderer: { heading, link, table, html: never } })
  const tokens = marked.lexer(text)
  const title = tokens.find(
    (token): token is Tokens.Heading => token.type === 'heading' && token['depth'] === 1,
  )
  const scripts: string[] = []
  const setup: Setup[] = []
  const parts: Part[] = []
  let mark: string | undefined
  for (const [at, token] of tokens.entries()) {
    if (token === title || token.type === 'space') continue
    if (token.type === 'html') {
      mark = markOf(token.raw)
      if (mark === '') continue
      if (!PANELS.includes(mark as PanelName)) fail(`Expected ${PANELS.join(', ')} after live:, got ${mark}`)
      parts.push({ kind: 'panel', name: mark as PanelName })
    } else if (token.type === 'code') {
      const { lang = '', text } = token as Tokens.Code
      const html = colour(text.trimEnd(), lang)
      if (lang === 'console') setup.push(...publishedBy(text))
      if (mark === '') {
        if (lang !== 'js') fail('Expected a script after <!-- live -->')
        const used = setup.filter(({ channel }) => text.includes(`/${channel}`))
        parts.push({
          kind: 'run',
          html,
          run: scripts.push(text) - 1,
          sources: text.split(/new (?:EventSource|WebSocket)\(/).length - 1,
          output: outputAfter(tokens, at),
          setup: used,
        })
      } else if (lang !== 'output' || parts.at(-1)?.kind !== 'run')
        parts.push({ kind: 'code', language: lang, html })
    } else {
      const html = marked.parser([token])
      const last = parts.at(-1)
      if (last?.kind === 'html') parts[parts.length - 1] = { kind: 'html', html: last.html + html }
      else parts.push({ kind: 'html', html })
    }
    mark = undefined
  }
  return { chapter: { slug, title: title?.text ?? slug, parts }, scripts }

  function fail(what: string): never {
    throw new Error(`${slug}: ${what}`)
  }

  function idOf(heading: string): string {
    const own = slugOf(heading.replaceAll('`', ''))
    return names.get(slug)?.get(own) ?? own
  }

  function heading(
    this: { parser: { parseInline(tokens: Token[]): string } },
    token: Tokens.Heading,
  ): string {
    const id = idOf(token.text)
    if (token.depth > 2) return fail(`Expected chapters of one level of headings, got ${token.text}`)
    return `<h2 id="guide-${id}">${this.parser.parseInline(token.tokens)}</h2>`
  }

  function link(
    this: { parser: { parseInline(tokens: Token[]): string } },
    { href, tokens }: Tokens.Link,
  ): string {
    const text = this.parser.parseInline(tokens)
    if (/^[a-z]+:/.test(href)) return `<a href="${escapeHtml(href)}" rel="noreferrer">${text}</a>`
    const [path = '', anchor] = href.split('#')
    if (path.startsWith('../../')) {
      const document = `docs/${path.slice('../../'.length)}`
      if (repository !== undefined)
        return `<a href="${escapeHtml(repository + document)}" rel="noreferrer">${text}</a>`
      return `${text} <span class="document">(${escapeHtml(document)})</span>`
    }
    const to = path === '' ? slug : path.replace(/\.md$/, '')
    const known = names.get(to) ?? fail(`Expected a link to a chapter, got ${href}`)
    if (anchor === undefined) return `<a href="#/guide/${to}">${text}</a>`
    return `<a href="#/guide/${to}/${known.get(anchor) ?? fail(`No such heading: ${href}`)}">${text}</a>`
  }

  function never(): never {
    return fail('Expected no HTML in the guide but marks')
  }
}

function table(
  this: { parser: { parseInline(tokens: Token[]): string } },
  { header, rows }: Tokens.Table,
): string {
  const cell = (tag: string, { tokens, align }: Tokens.TableCell): string =>
    `<${tag}${align === 'right' ? ' class="numeric"' : ''}>${this.parser.parseInline(tokens)}</${tag.split(' ')[0]}>`
  const head = header.map((one) => cell(one.text === '' ? 'td' : 'th scope="col"', one)).join('')
  // Where the corner is empty, the first column says what its rows are.
  const first = header[0]?.text === '' ? 'th scope="row"' : 'td'
  const body = rows.map(
    (row) => `<tr>${row.map((one, at) => cell(at === 0 ? first : 'td', one)).join('')}</tr>`,
  )
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}

function markOf(raw: string): string {
  const [, name] = /^<!-- live(?:: ([\w-]+))? -->\s*$/.exec(raw) ?? []
  if (!raw.startsWith('<!-- live')) throw new Error(`Expected <!-- live -->, got ${raw}`)
  return name ?? ''
}

function outputAfter(tokens: readonly Token[], at: number): string {
  const next = tokens.slice(at + 1).find(({ type }) => type !== 'space')
  return next?.type === 'code' && next['lang'] === 'output' ? String(next['text']) : ''
}

/** What `curl -d` in a block of commands appends. */
function publishedBy(commands: string): readonly Setup[] {
  const found = commands.matchAll(
    /^\$ curl (?:-s )?-d '([^']*)' '?http:\/\/localhost:4080\/channels\/([\w.]+)(?:\?type=(\w+))?'?$/gm,
  )
  return Array.from(found, ([, data = '', channel = '', type]) => ({ channel, data, ...(type && { type }) }))
}
