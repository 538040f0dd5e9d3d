/** The chapters as the build makes them: no link leads nowhere, and marks are what they are meant to be. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { makeGuide, slugOf } from '../build/chapter.ts'
import { colour } from '../build/colour.ts'
import { readAll } from '../build/guide-plugin.ts'
import type { Chapter } from '../src/guide/chapter.ts'
import { headingsOf, withLinks } from '../src/guide/headings.ts'
import { channelsOf, Names } from '../src/model/guide-names.ts'

const guide = readAll()
const languages = ['en', 'ru'] as const
const root = new URL('../../../', import.meta.url)

const htmlOf = ({ parts, slug }: Chapter): string =>
  parts.map((part) => ('html' in part ? withLinks(part.html, slug, 'Link to') : '')).join('\n')
const all = (html: string, pattern: RegExp): readonly string[] =>
  Array.from(html.matchAll(pattern), ([, found = '']) => found)
const make = (...texts: readonly string[]) =>
  makeGuide(texts.map((text, at) => ({ slug: `chapter-${at + 1}`, text }))).chapters

describe('the guide', () => {
  for (const language of languages) {
    const { chapters } = guide[language]
    const places = new Set(
      chapters.flatMap((chapter) => [
        `#/guide/${chapter.slug}`,
        ...all(htmlOf(chapter), /<h\d id="guide-([^"]+)"/g).map((id) => `#/guide/${chapter.slug}/${id}`),
      ]),
    )

    test(`no link leads nowhere, in ${language}`, () => {
      for (const chapter of chapters) {
        const html = htmlOf(chapter)
        for (const href of all(html, /href="([^"]*)"/g))
          assert.ok(places.has(href) || href.startsWith('https://'), `${chapter.slug}: ${href}`)
        for (const document of all(html, /class="document">\((.*?)\)</g))
          assert.ok(existsSync(new URL(document, root)), `${chapter.slug}: ${document}`)
        for (const { id } of headingsOf(chapter)) assert.ok(places.has(`#/guide/${chapter.slug}/${id}`))
      }
    })

    test(`no two headings of a chapter have one name, in ${language}`, () => {
      for (const chapter of chapters) {
        const headings = headingsOf(chapter)
        assert.equal(new Set(headings.map(({ id }) => id)).size, headings.length, chapter.slug)
      }
    })
  }

  test('a heading has the same address in each language', () => {
    for (const [at, chapter] of guide.en.chapters.entries())
      assert.deepEqual(
        headingsOf(guide.ru.chapters[at] as Chapter).map(({ id }) => id),
        headingsOf(chapter).map(({ id }) => id),
      )
  })

  test('both languages have the same parts in the same order', () => {
    const shape = ({ parts }: Chapter): readonly string[] =>
      parts.map((part) =>
        part.kind === 'panel' ? part.name : part.kind === 'code' ? part.language : part.kind,
      )
    for (const [at, chapter] of guide.en.chapters.entries())
      assert.deepEqual(shape(guide.ru.chapters[at] as Chapter), shape(chapter), chapter.slug)
  })

  test('every script that has an output is alive', () => {
    for (const { slug, parts } of guide.en.chapters)
      for (const [at, part] of parts.entries())
        assert.ok(part.kind !== 'code' || part.language !== 'output', `${slug}, part ${at + 1}`)
  })
})

describe('a chapter', () => {
  test('has its scripts with what they print and what the commands above them published', () => {
    const text = [
      '# A',
      '```console',
      "$ curl -d 'tea' http://localhost:4080/channels/kitchen",
      '{"ids":["q3W9xLb2-1"]}',
      "$ curl -s -d 'cake' 'http://localhost:4080/channels/other?type=sweet'",
      '```',
      '<!-- live -->',
      '',
      '```js',
      "const source = new EventSource('/channels/kitchen')",
      '```',
      '',
      '```output',
      'tea',
      '```',
    ].join('\n')
    const [chapter] = make(text)
    assert.deepEqual(chapter?.parts.at(-1), {
      kind: 'run',
      html: colour("const source = new EventSource('/channels/kitchen')", 'js'),
      run: 0,
      sources: 1,
      output: 'tea',
      setup: [{ channel: 'kitchen', data: 'tea' }],
    })
  })

  test('leads to chapters and headings by the addresses of the page, and names other documents', () => {
    const [chapter] = make(
      '# A\n\n[b](chapter-2.md#some-heading) [c](../../client.md)',
      '# B\n\n## Some `heading`\n',
    )
    const html = htmlOf(chapter as Chapter)
    assert.match(html, /href="#\/guide\/chapter-2\/some-heading"/)
    assert.match(html, /c <span class="document">\(docs\/client\.md\)<\/span>/)
  })

  test('has its headings in its list, and at each a link to itself', () => {
    const [chapter] = make('# A\n\n## Some `heading`\n\ntext\n\n## Another\n')
    assert.deepEqual(headingsOf(chapter as Chapter), [
      { id: 'some-heading', html: 'Some <code>heading</code>' },
      { id: 'another', html: 'Another' },
    ])
    assert.match(
      htmlOf(chapter as Chapter),
      /<h2 id="guide-another" tabindex="-1">Another <a class="anchor" href="#\/guide\/chapter-1\/another" aria-label="Link to: Another">#<\/a><\/h2>/,
    )
  })

  test('links other documents once it is known where they can be read', () => {
    const { chapters } = makeGuide([{ slug: 'a', text: '# A\n\n[c](../../client.md)' }], {
      repository: 'https://example.com/blob/main/',
    })
    assert.match(
      htmlOf(chapters[0] as Chapter),
      /<a href="https:\/\/example\.com\/blob\/main\/docs\/client\.md"/,
    )
  })

  for (const [what, text] of [
    ['a link to no chapter', '# A\n\n[b](chapter-9.md)'],
    ['a link to no heading', '# A\n\n[b](chapter-1.md#nowhere)'],
    ['a mark that nobody knows', '# A\n\n<!-- live: wonders -->\n'],
    ['a mark before what is no script', '# A\n\n<!-- live -->\n\n```sh\nls\n```'],
    ['HTML', '# A\n\n<b>bold</b>\n'],
    ['HTML in a line', '# A\n\nvery <b>bold</b>\n'],
  ] as const)
    test(`can't be built with ${what}`, () => assert.throws(() => make(text)))

  test('names headings as GitHub does', () => {
    assert.equal(
      slugOf('The limits of HTTP/1.x, and what HTTP/2 changes'),
      'the-limits-of-http1x-and-what-http2-changes',
    )
    assert.equal(slugOf('Кому можно читать'), 'кому-можно-читать')
  })

  test('has no character of its code lost by colours', () => {
    for (const language of ['js', 'console', 'sh', 'stream', 'html', 'other'])
      for (const { parts } of guide.en.chapters)
        for (const part of parts) {
          if (!('html' in part) || part.kind === 'html') continue
          const text = plain(part.html)
          assert.equal(plain(colour(text, language)), text)
        }
  })
})

function plain(html: string): string {
  const text = html
    .replaceAll(/<\/?span[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
  return text.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}

describe('names', () => {
  const names = new Names('guide.x-1.')

  test('each channel and pattern of a path gets the prefix, its query stays', () => {
    assert.equal(
      names.path('/channels/room.*,news?event=channel'),
      'channels/guide.x-1.room.*,guide.x-1.news?event=channel',
    )
    assert.equal(names.path('/readyz'), 'readyz')
    assert.deepEqual(channelsOf('/channels/room.*,news?event=channel'), ['news'])
  })

  test('types are those of the script, but for ?event=channel', () => {
    assert.equal(names.type('/channels/a', 'paid'), 'paid')
    assert.equal(names.type('/channels/a?event=channel', 'a'), 'guide.x-1.a')
    assert.equal(names.type('/channels/a?event=channel', 'message'), 'message')
    assert.equal(names.type('/channels/a?event=channel', 'downlink:gap'), 'downlink:gap')
  })

  test('what the script prints has no prefix', () =>
    assert.equal(names.plain('end of guide.x-1.a'), 'end of a'))
})
