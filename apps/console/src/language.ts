/** In which language the page speaks: as the browser asks for, until somebody chooses. */
import { Changing } from './store.ts'
import { type Language, preferred, WORDS, type Words } from './words.ts'

const CHOSEN = 'downlink-console-language'

class Speech extends Changing {
  language: Language = (localStorage.getItem(CHOSEN) as Language | null) ?? preferred(navigator.languages)

  get words(): Words {
    return WORDS[this.language]
  }

  change(): void {
    this.language = this.language === 'en' ? 'ru' : 'en'
    localStorage.setItem(CHOSEN, this.language)
    document.documentElement.lang = this.language
    this.changed()
  }
}

export const speech = new Speech()
document.documentElement.lang = speech.language
