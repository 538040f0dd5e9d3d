/** A page of the user's own at `/`, which may load what it likes. */
import { readFileSync } from 'node:fs'
import { PAGE_HEADERS, type ServedPage } from '../http/console-page.ts'
import { Failure, reasonOf } from './failure.ts'

/** @throws {Failure} when the file can't be read */
export function loadOwnPage(path: string): ServedPage {
  try {
    return { headers: PAGE_HEADERS, body: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new Failure(`The page ${path} can't be read: ${reasonOf(error)}`, { cause: error })
  }
}
