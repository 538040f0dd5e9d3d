/**
 * The headings of a chapter, found in its HTML: each of them three times in the page (where it stands, in the list of contents, in
 * its own link) would be a fiftieth of the page's bytes. Pure; the HTML is that of `build/chapter.ts`.
 */
import type { Chapter, Heading } from './chapter.ts'

const HEADING = /<h2 id="guide-([^"]+)">(.*?)<\/h2>/g

export function headingsOf({ parts }: Chapter): readonly Heading[] {
  return parts.flatMap((part) =>
    part.kind === 'html'
      ? Array.from(part.html.matchAll(HEADING), ([, id = '', html = '']) => ({ id, html }))
      : [],
  )
}

/** Each with a link to itself. @param label What the link is called, before the heading. */
export function withLinks(html: string, slug: string, label: string): string {
  return html.replaceAll(HEADING, (_, id: string, text: string) => {
    const name = `${label}: ${text.replaceAll(/<.*?>/g, '')}`
    const link = `<a class="anchor" href="#/guide/${slug}/${id}" aria-label="${name}">#</a>`
    return `<h2 id="guide-${id}" tabindex="-1">${text} ${link}</h2>`
  })
}
