/** When something was: the time of day, and the day where it is not today. */
import { clock } from '../format.ts'

/** To make one costs more than all that it then does. */
const days = new Map<string, Intl.DateTimeFormat>()

/** @param time RFC 3339. */
export function dayOf(time: string, language: string): string {
  let format = days.get(language)
  if (format === undefined)
    days.set(language, (format = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })))
  return format.format(new Date(time))
}

export function momentOf(time: string, language: string, now = new Date()): string {
  const same = new Date(time).toDateString() === now.toDateString()
  return same ? clock(time, language) : `${dayOf(time, language)}, ${clock(time, language)}`
}
