/** What the Lab says, in each language. The recommendation's Russian is in `words-lab-advice.ts`; its English is the hub's own. */
import type { AdviceWords, Figures } from './lab/shared.ts'
import { en } from './words-lab-en.ts'
import { ru } from './words-lab-ru.ts'
import type { Language } from './words.ts'

export type LabWords = Omit<typeof en, 'advice' | 'figures'> & {
  readonly advice: AdviceWords
  readonly figures: Figures
}

export const LAB_WORDS: Readonly<Record<Language, LabWords>> = { en, ru }
