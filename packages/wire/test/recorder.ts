import { createParser, createSmallParser, type Parser, type ParserOptions } from '../src/index.ts'
import type { Report } from './reference-parser.ts'

export type Create = (options: ParserOptions) => Parser | Omit<Parser, 'reset'>

/** Whatever holds for one holds for the other. */
export const PARSERS: readonly Create[] = [createParser, createSmallParser]

/** A parser that writes down all it reports. */
export function recordingParser(
  options: Partial<ParserOptions> = {},
  create: Create = createParser,
): { parser: ReturnType<Create>; reports: Report[] } {
  const reports: Report[] = []
  const parser = create({
    onEvent: (event) => reports.push({ event }),
    onComment: (comment) => reports.push({ comment }),
    onRetry: (retry) => reports.push({ retry }),
    onId: (id) => reports.push({ id }),
    ...options,
  })
  return { parser, reports }
}

export function parse(
  chunks: readonly Uint8Array[],
  options: Partial<ParserOptions> = {},
  create: Create = createParser,
): readonly Report[] {
  const { parser, reports } = recordingParser(options, create)
  for (const chunk of chunks) parser.feed(chunk)
  parser.end()
  return reports
}

export function eventsOf(reports: readonly Report[]) {
  return reports.flatMap((report) => ('event' in report ? [report.event] : []))
}
