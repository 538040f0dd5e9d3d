declare module 'virtual:guide' {
  import type { Chapter, Script } from './chapter.ts'

  export const chapters: Readonly<Record<'en' | 'ru', readonly Chapter[]>>
  /** By slug: the scripts of a chapter that run on the page, the same in each language. */
  export const scripts: Readonly<Record<string, readonly Script[]>>
}
