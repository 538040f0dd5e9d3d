/** The form of the Lab as it stands, while the page shows other pages, too. */
import { check, type Checked, type Draft, draftOf } from '../model/lab-form.ts'
import { Changing } from '../store.ts'
import type { Preset } from './shared.ts'

class Form extends Changing {
  draft: Draft = draftOf('dashboard')
  /** Kept open once somebody has opened it. */
  fine = false

  get checked(): Checked {
    return check(this.draft)
  }

  choose(preset: Preset): void {
    this.draft = draftOf(preset)
    this.changed()
  }

  set(change: Partial<Draft>): void {
    this.draft = { ...this.draft, ...change }
    this.changed()
  }
}

export const form = new Form()
