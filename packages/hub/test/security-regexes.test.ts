/**
 * ReDoS: every regular expression of the packages is found in the source, and tried with long inputs made of what it looks for, so
 * that one whose work grows with the square of its input, or worse, is found before somebody sends such an input. What is not linear
 * must stand in `BOUNDED`, with what keeps its input short.
 *
 * This finds what repeats of up to two pieces, with something before and behind, can show; it is no proof.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url))
/** UTF-16 units. A head has at most 16 KiB, and what is longer is not matched against anything but for single characters. */
const LENGTH = 32 * 1024
/** Linear work at this length is below a millisecond; its square is 10^9. */
const TOO_LONG_MS = 60

/** Not linear, and why nobody can make it take long. */
const BOUNDED: Readonly<Record<string, string>> = {
  '^\\[(.*:.*)\\]$': 'Of a flag, or the configuration',
  '\\/+$': 'Of the URL that whoever runs a command gives it',
}
/** Made from text, which is the code's own. */
const MADE = ['hub/src/cli/page.ts']

interface Found {
  readonly file: string
  readonly source: string
  readonly flags: string
}

/** The literals of a file: esbuild takes comments and types away, and prints strings in a few forms. */
function literalsOf(file: string): readonly Found[] {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    loader: 'ts',
    legalComments: 'none',
    minifyWhitespace: true,
    target: 'esnext',
  })
  const found: Found[] = []
  /** What may stand between tokens, a string, a template's plain parts, a literal, or any other token. */
  const token =
    /\s+|\/\*[^]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|`(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)|[\w$#]+|[^]/y
  const literal = /\/((?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/y
  const templates: number[] = []
  let depth = 0
  let before = '('
  for (let at = 0; at < code.length;) {
    if (code[at] === '/' && !/[\w$)\]}]$/.test(before)) {
      literal.lastIndex = at
      const match = literal.exec(code)
      if (match) {
        found.push({
          file: file.slice(PACKAGES.length),
          source: match[1] as string,
          flags: match[2] as string,
        })
        at = literal.lastIndex
        before = ')'
        continue
      }
    }
    token.lastIndex = at
    let text = (token.exec(code) as RegExpExecArray)[0]
    if (text === '}' && templates.at(-1) === depth) {
      // Back in the template.
      templates.pop()
      const rest = /\}(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y
      rest.lastIndex = at
      text = (rest.exec(code) as RegExpExecArray)[0]
      if (text.endsWith('${')) templates.push(depth)
    } else if (text.startsWith('`') && text.endsWith('${')) templates.push(depth)
    else if (text === '{') depth++
    else if (text === '}') depth--
    if (!/^\s|^\/[/*]/.test(text))
      before = /^(?:return|typeof|case|in|of|void|yield|await)$/.test(text) ? '(' : text
    at += text.length
  }
  return found
}

interface Pieces {
  /** Its literal characters and words, an example of each class, and what it has none of. */
  readonly pieces: readonly string[]
  /** Its words up to each of them: what gets it to its later parts. */
  readonly prefixes: readonly string[]
}

function piecesOf(source: string): Pieces {
  const pieces = new Set<string>(['a', ' ', '\u0000'])
  const bare = source.replaceAll(/\[(?:[^\]\\]|\\.)*\]/g, (list) => {
    for (const unit of list.slice(1, -1).replaceAll(/\\(.)|\^/g, '$1')) pieces.add(unit)
    return ' '
  })
  const plain = bare.replaceAll(
    /\\[dwsDWSbB]|\\u....|\\x..|\\[^]|\(\?(?:<?[=!:]|<\w+>)|[()[\]{}|*+?^$.]|\{\d*,?\d*\}/g,
    (text) => {
      if (text === '\\d') pieces.add('1')
      else if (text === '\\s') pieces.add('\t').add('\n')
      else if (text === '\\r') pieces.add('\r')
      else if (text === '\\n') pieces.add('\n')
      else if (/^\\[^\w]/.test(text)) return text.slice(1)
      return ' '
    },
  )
  const words = plain.split(/ +/).filter((word) => word !== '')
  const prefixes = ['']
  for (const word of words.slice(0, 6)) {
    pieces.add(word.slice(0, 12))
    for (const unit of word) pieces.add(unit)
    prefixes.push(`${prefixes.at(-1) ?? ''}${word}`)
  }
  return { pieces: [...pieces].slice(0, 24), prefixes }
}

/** Pairs of so many pieces; all of them alone. */
const PAIRED = 8

/** What the repeated is followed by, so that the expression has to try again. */
const ENDS = ['\u0000', 'x"x']

function slowest(regex: RegExp): { readonly ms: number; readonly input: string } {
  let worst = { ms: 0, input: '' }
  // What grows without measure shows early, and would never end at full length.
  for (const length of [24, 200, 600, 3_000, LENGTH]) {
    for (const { input, what } of inputsOf(regex.source, length)) {
      const took = timed(regex, input)
      if (took <= worst.ms) continue
      // A machine that is busy with something else is no proof.
      const ms = took < TOO_LONG_MS ? took : Math.min(took, timed(regex, input), timed(regex, input))
      if (ms > worst.ms) worst = { ms, input: what }
      if (ms > TOO_LONG_MS) return worst
    }
  }
  return worst
}

function* inputsOf(
  source: string,
  length: number,
): Generator<{ readonly input: string; readonly what: string }> {
  const { pieces, prefixes } = piecesOf(source)
  const paired = pieces.slice(-PAIRED)
  const pairs = paired.flatMap((one) => paired.map((other) => (one === other ? one : one + other)))
  for (const piece of new Set([...pieces, ...pairs])) {
    const long = piece.repeat(Math.ceil(length / piece.length))
    for (const prefix of prefixes)
      for (const end of ENDS)
        yield {
          input: `${prefix}${long}${end}`,
          what: `${length} characters of ${JSON.stringify(piece)} between ${JSON.stringify([prefix, end])}`,
        }
  }
}

function timed(regex: RegExp, input: string): number {
  const begun = performance.now()
  if (regex.global) input.replace(regex, '')
  else {
    regex.lastIndex = 0
    regex.exec(input)
  }
  return performance.now() - begun
}

const files = globSync(`${PACKAGES}*/src/**/*.{ts,tsx}`)
const found = files.flatMap(literalsOf)

describe('the regular expressions of the packages', () => {
  test('are found: as many as a search for some of them says', () => {
    const sources = new Set(found.map(({ source }) => source))
    for (const known of ['^[A-Za-z0-9]{1,32}$', '[\\r\\n\\0]', '\\r\\n|\\r|\\n', '^[\\x21-\\x7e]{1,255}$'])
      assert.ok(sources.has(known), known)
    assert.ok(found.length > 60, `${found.length}`)
  })

  test('are literals: none is made from text that could be somebody’s', () => {
    for (const file of files) {
      if (MADE.includes(file.slice(PACKAGES.length))) continue
      assert.doesNotMatch(readFileSync(file, 'utf8'), /\bRegExp\(/, file)
    }
  })

  const unique = new Map(found.map((one) => [`/${one.source}/${one.flags}`, one]))
  for (const [text, { file, source, flags }] of unique) {
    test(`${text} of ${file}`, (t) => {
      const bounded = BOUNDED[source]
      if (bounded !== undefined) return t.diagnostic(bounded)
      const { ms, input } = slowest(new RegExp(source, flags))
      assert.ok(ms < TOO_LONG_MS, `${Math.round(ms)} ms for ${input}`)
    })
  }

  test('would be found if they were not linear', () => {
    for (const bad of [/\s+$/, /^\s*key\s*=\s*"?([^"]*?)"?\s*$/])
      assert.ok(slowest(bad).ms > TOO_LONG_MS, bad.source)
  })
})
