/** The chapters of the guide, and what can be executed of them. Pure, but for reading the files. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Block {
  /** The word behind the fence: `js`, `output`, `console`, `stream`, `events`, … */
  readonly kind: string
  readonly text: string
  /** Of its first line in the file. */
  readonly line: number
}

export interface Chapter {
  /** E.g. `03-event-source.md`, the same in each language. */
  readonly name: string
  readonly text: string
  readonly blocks: readonly Block[]
}

export type Language = 'en' | 'ru'

export function readGuide(language: Language): readonly Chapter[] {
  const folder = new URL(`../../docs/guide/${language}/`, import.meta.url)
  return readdirSync(folder)
    .filter((name) => /^\d\d-.*\.md$/.test(name))
    .sort()
    .map((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8')
      return { name, text, blocks: blocksOf(text) }
    })
}

export function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const kind = /^```(\w*)$/.exec(lines[at] as string)?.[1]
    if (kind === undefined) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`Line ${at + 1}: a block that does not end`)
    blocks.push({ kind, text: lines.slice(at + 1, end).join('\n'), line: at + 1 })
    at = end
  }
  return blocks
}

/** Blocks of one kind, each with the one of the other kind that follows it at once. */
export function pairs(blocks: readonly Block[], kind: string, answer: string): readonly [Block, Block][] {
  return blocks.flatMap((block, index) => {
    const next = blocks[index + 1]
    return block.kind === kind && next?.kind === answer ? [[block, next] as [Block, Block]] : []
  })
}

/** `$ command` and what it prints, of a block of kind `console`. */
export function commandsOf(text: string): readonly { readonly command: string; readonly output: string }[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...output] = part.split('\n')
      return { command, output: output.join('\n').trim() }
    })
}

/** What differs from run to run, as one word each; an output that ends with `…` is compared up to there. */
export function settled(text: string): string {
  return text
    .replaceAll(/\b[0-9A-Za-z]{8}-\d+\b/g, '<cursor>')
    .replaceAll(/^retry: \d+$/gm, 'retry: <ms>')
    .replaceAll('\r', '')
    .trim()
}
