/** The guide: its chapters, and one of them. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { chapters } from 'virtual:guide'
import type { Chapter } from '../guide/chapter.ts'
import { headingsOf } from '../guide/headings.ts'
import { Parts } from '../guide/parts.tsx'
import '../guide/guide.css'
import { speech } from '../language.ts'
import { useChanging } from '../store.ts'
import { GUIDE_WORDS, type GuideWords } from '../words-guide.ts'

export function GuidePage({ chapter: slug, heading }: { chapter: string; heading: string }) {
  useChanging(speech)
  const { language } = speech
  const words = GUIDE_WORDS[language]
  const all = chapters[language]
  const at = all.findIndex((one) => one.slug === slug)
  const chapter = all[at]
  const place = useRef<HTMLElement>(null)
  useEffect(() => {
    const before = document.title
    document.title = `${chapter?.title ?? speech.words.guide} · Downlink`
    return () => {
      document.title = before
    }
  }, [chapter])
  useEffect(() => goTo(place.current, heading), [slug, heading])
  useScrollersByKeyboard(place, chapter)
  if (!chapter) return <Contents all={all} words={words} />
  return (
    <div class="guide">
      <details key={slug} class="beside" open={matchMedia('(min-width: 70rem)').matches}>
        <summary>{words.contents}</summary>
        <nav aria-label={words.chapters}>
          <ChapterList all={all} current={chapter} words={words} />
        </nav>
      </details>
      <article ref={place} lang={language}>
        <h1 tabIndex={-1}>{chapter.title}</h1>
        <Parts key={`${slug} ${language}`} chapter={chapter} />
        <Neighbours before={all[at - 1]} after={all[at + 1]} words={words} />
      </article>
    </div>
  )
}

function Contents({ all, words }: { all: readonly Chapter[]; words: GuideWords }) {
  return (
    <div class="guide contents">
      <h1>{speech.words.guide}</h1>
      <p>{words.about}</p>
      <nav aria-label={words.chapters}>
        <ChapterList all={all} words={words} />
      </nav>
    </div>
  )
}

function ChapterList({
  all,
  current,
  words,
}: {
  all: readonly Chapter[]
  current?: Chapter
  words: GuideWords
}) {
  return (
    <ol class="chapters">
      {all.map((chapter) => (
        <li key={chapter.slug}>
          <a href={`#/guide/${chapter.slug}`} aria-current={chapter === current ? 'page' : undefined}>
            {chapter.title}
          </a>
          {chapter === current && (
            <ul aria-label={words.onThisPage}>
              {headingsOf(chapter).map(({ id, html }) => (
                <li key={id}>
                  <a href={`#/guide/${chapter.slug}/${id}`} dangerouslySetInnerHTML={{ __html: html }} />
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ol>
  )
}

function Neighbours({
  before,
  after,
  words,
}: {
  before: Chapter | undefined
  after: Chapter | undefined
  words: GuideWords
}) {
  return (
    <nav class="neighbours" aria-label={words.pages}>
      {before && (
        <a href={`#/guide/${before.slug}`} rel="prev">
          <small>← {words.previous}</small> {before.title}
        </a>
      )}
      {after && (
        <a href={`#/guide/${after.slug}`} rel="next" class="after">
          <small>{words.next} →</small> {after.title}
        </a>
      )}
    </nav>
  )
}

/** To the heading that the address names, else to the beginning; but not away from where somebody only changed the language. */
function goTo(article: HTMLElement | null, heading: string): void {
  if (heading === '') scrollTo(0, 0)
  const found = heading === '' ? article?.querySelector('h1') : document.getElementById(`guide-${heading}`)
  if (!found) return
  found.focus({ preventScroll: true })
  if (heading !== '') found.scrollIntoView()
}

/** What scrolls sideways can be scrolled by keyboard, and what does not is no stop on the way. */
function useScrollersByKeyboard(place: { current: HTMLElement | null }, chapter: Chapter | undefined): void {
  useLayoutEffect(() => {
    const article = place.current
    if (!article) return
    const look = (): void => {
      for (const one of article.querySelectorAll<HTMLElement>('.scroll, pre'))
        if (one.scrollWidth > one.clientWidth) one.tabIndex = 0
        else one.removeAttribute('tabindex')
    }
    look()
    const observer = new ResizeObserver(look)
    observer.observe(article)
    return () => observer.disconnect()
  }, [chapter])
}
