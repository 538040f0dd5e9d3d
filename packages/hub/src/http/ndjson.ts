/** A batch as `application/x-ndjson`: `{ "type"?, "data" }` a line. Pure. */
import { checkType } from '../log/settle.ts'
import type { Publication } from '../publish.ts'
import { Problem } from './problem.ts'

/**
 * Blank lines are passed over.
 *
 * @param type The type of lines that have none.
 * @throws {Problem} `invalid-ndjson` with the number of the first line that is wrong; `batch-too-large`
 */
export function parseNdjson(text: string, type: string | undefined, limit: number): readonly Publication[] {
  const publications: Publication[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    if (publications.length === limit) {
      throw new Problem('batch-too-large', `Expected at most ${limit} lines: send smaller batches`, { limit })
    }
    publications.push(parseLine(line, index + 1, type))
  }
  return publications
}

function parseLine(text: string, line: number, type: string | undefined): Publication {
  const value = parseJson(text, line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongLine(line, `an object such as {"data":"…"}, got ${shown(text)}`)
  }
  const members = Object.entries(value)
  const stranger = members.find(([name]) => name !== 'type' && name !== 'data')
  if (stranger) throw wrongLine(line, `no members but \`type\` and \`data\`, got ${shown(stranger[0])}`)
  const given = new Map<string, unknown>(members)
  if (!given.has('data')) throw wrongLine(line, 'a member `data`')
  const own = given.has('type') ? given.get('type') : type
  if (own !== undefined && typeof own !== 'string') throw wrongLine(line, '`type` to be a string')
  if (own !== undefined) checkTypeOf(own, line)
  return { data: given.get('data'), ...(own === undefined ? {} : { type: own }) }
}

function checkTypeOf(type: string, line: number): void {
  try {
    checkType(type)
  } catch (error) {
    throw new Problem(
      'invalid-type',
      `Line ${line}: ${(error as Error).message}. Nothing of this batch was stored`,
      { line },
    )
  }
}

function parseJson(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw wrongLine(line, `JSON, got ${shown(text)}`)
  }
}

function wrongLine(line: number, expected: string): Problem {
  return new Problem(
    'invalid-ndjson',
    `Line ${line}: expected ${expected}. Nothing of this batch was stored`,
    { line },
  )
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
