/** What docs/conformance.md says of the cases, made from the cases. */
import type { Case, Tag } from './case.ts'

/** What the tags are called there. */
const PLACES: Readonly<Record<Tag, string>> = {
  ours: 'ours',
  native: "Chromium's own",
  chromium: 'Chromium, its own and ours',
  page: 'pages',
  worker: 'dedicated workers',
  shared: 'shared workers',
  process: 'Node, Bun and Deno',
  node: 'Node',
  node20: 'Node 20',
  node22: 'Node 22',
  node24: 'Node 24',
  bun: 'Bun',
  deno: 'Deno',
}

/** Cases made from a table are called `fact: variant`. */
const factOf = ({ name }: Case): string => name.split(': ')[0] ?? name

/** A list of Markdown: the facts with how many cases each has, and where they are known not to hold. */
export function listOf(cases: readonly Case[]): readonly string[] {
  const facts = new Map<string, number>()
  const deviations = new Map<string, string[]>()
  for (const one of cases) {
    const fact = factOf(one)
    facts.set(fact, (facts.get(fact) ?? 0) + 1)
    for (const [tag, reason] of Object.entries(one.deviates ?? {})) {
      const key = `Not so in ${PLACES[tag as Tag]}: ${reason}`
      deviations.set(key, [...(deviations.get(key) ?? []), one.name])
    }
  }
  return [
    ...Array.from(facts, ([fact, count]) => `- ${fact}${count > 1 ? ` (${count} cases)` : ''}`),
    ...Array.from(deviations, ([key, names]) => `- **${key}** (“${names.join('”, “')}”)`),
  ]
}

/** A statement of the page: its number, and the list that follows. */
const STATEMENT = /^\*\*(\d+)\.\*\* (.*)\n\n((?:- .*\n)*)/gm

export interface Statement {
  readonly number: number
  readonly text: string
  readonly list: readonly string[]
}

export function statementsOf(page: string): readonly Statement[] {
  return Array.from(page.matchAll(STATEMENT), ([, number, text = '', list = '']) => ({
    number: Number(number),
    text,
    list: list.split('\n').filter((line) => line !== ''),
  }))
}

/** What stands in place of a list when no script can see the fact: it gives the reason. */
export const UNSEEN = '- Not tested: '

/** The page with the lists that the cases make. */
export function withLists(page: string, cases: readonly Case[]): string {
  return page.replace(STATEMENT, (whole: string, number: string, text: string, list: string) => {
    if (list.startsWith(UNSEEN)) return whole
    const lines = listOf(cases.filter(({ statements }) => statements.includes(Number(number))))
    return `**${number}.** ${text}\n\n${lines.map((line) => `${line}\n`).join('')}`
  })
}
