/** A batch as `application/x-ndjson`: `{ "type"?, "data" }` a line. Pure. */
import { checkType } from '../log/settle.ts'
import { dataText, type Publication } from '../publish.ts'
import { quoted } from '../shown.ts'
import { Problem } from './problem.ts'

const BRACE = 123
/**
 * Levels that data may be nested. V8 looks at all levels above for each that it writes: a megabyte of lines of 3,000 levels took five
 * times as long as one of flat lines.
 */
const DEEPEST = 100

/**
 * Blank lines are passed over.
 *
 * @param type The type of lines that have none.
 * @throws {Problem} `invalid-ndjson` with the number of the first line that is wrong; `batch-too-large`
 */
export function parseNdjson(text: string, type: string | undefined, limit: number): readonly Publication[] {
  const publications: Publication[] = []
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as string
    // Most lines begin with their brace.
    if (line.charCodeAt(0) !== BRACE && line.trim() === '') continue
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
    throw wrongLine(line, `an object such as {"data":"…"}, got ${quoted(text, 60)}`)
  }
  let own: unknown = type
  let data: unknown
  let hasData = false
  // What JSON.parse makes has members of its own only, whatever they are called.
  for (const name of Object.keys(value)) {
    if (name === 'type') own = (value as { type: unknown }).type
    else if (name === 'data') {
      data = (value as { data: unknown }).data
      hasData = true
    } else throw wrongLine(line, `no members but \`type\` and \`data\`, got ${quoted(name, 60)}`)
  }
  if (!hasData) throw wrongLine(line, 'a member `data`')
  if (typeof data === 'object') data = textOf(data, line, text)
  if (own === undefined) return { data }
  if (typeof own !== 'string') throw wrongLine(line, '`type` to be a string')
  checkTypeOf(own, line)
  return { data, type: own }
}

function textOf(data: unknown, line: number, text: string): string {
  // What is shorter than that can't be nested so deeply.
  if (text.length > 2 * DEEPEST && !isWithin(data, DEEPEST))
    throw wrongLine(line, `\`data\` to be nested at most ${DEEPEST} levels deep`)
  return dataText(data)
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  if (Array.isArray(value)) {
    for (const item of value) if (!isWithin(item, levels - 1)) return false
    return true
  }
  for (const name in value) if (!isWithin((value as Record<string, unknown>)[name], levels - 1)) return false
  return true
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
    throw wrongLine(line, `JSON, got ${quoted(text, 60)}`)
  }
}

function wrongLine(line: number, expected: string): Problem {
  return new Problem(
    'invalid-ndjson',
    `Line ${line}: expected ${expected}. Nothing of this batch was stored`,
    { line },
  )
}
