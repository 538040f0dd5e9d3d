import { createParser, type Parser, type ParserOptions } from '../src/index.ts'
import type { Report } from './reference-parser.ts'

/** A parser that writes down all it reports. */
export function recordingParser(options: Partial<ParserOptions> = {}): { parser: Parser; reports: Report[] } {
  const reports: Report[] = []
  const parser = createParser({
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
): readonly Report[] {
  const { parser, reports } = recordingParser(options)
  for (const chunk of chunks) parser.feed(chunk)
  parser.end()
  return reports
}

export function eventsOf(reports: readonly Report[]) {
  return reports.flatMap((report) => ('event' in report ? [report.event] : []))
}
