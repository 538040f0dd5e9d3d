/** Colours for the guide's code, made when the page is built: the page has no words of any language in it. */

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const KEYWORDS =
  'async|await|const|else|export|for|from|function|if|import|let|new|of|return|throw|true|false|null|undefined|while'

/** One group for each class, in the order of the classes. */
interface Grammar {
  readonly tokens: RegExp
  readonly classes: readonly string[]
}

const SCRIPT: Grammar = {
  tokens: new RegExp(`(//.*)|('[^'\\n]*'|\`[^\`]*\`)|\\b(${KEYWORDS})\\b|\\b(\\d[\\d_.]*)\\b`, 'g'),
  classes: ['note', 'text', 'word', 'number'],
}

const GRAMMARS: Readonly<Record<string, Grammar>> = {
  js: SCRIPT,
  ts: SCRIPT,
  console: { tokens: /^(\$ )|('[^'\n]*')/gm, classes: ['note', 'text'] },
  sh: { tokens: /(#.*)|('[^'\n]*')/g, classes: ['note', 'text'] },
  stream: { tokens: /^(:.*)|^(\w+)(?=:|$)/gm, classes: ['note', 'word'] },
  html: { tokens: /(<!--[^]*?-->)|('[^'\n]*'|"[^"\n]*")|(<\/?[\w!]+|>)/g, classes: ['note', 'text', 'word'] },
}

/** @param language The word behind the fence; what is not known stays black. */
export function colour(text: string, language: string): string {
  const grammar = GRAMMARS[language]
  if (grammar === undefined) return escapeHtml(text)
  let html = ''
  let at = 0
  for (const match of text.matchAll(grammar.tokens)) {
    const [token, ...groups] = match
    const kind = grammar.classes[groups.findIndex((group) => group !== undefined)]
    html += `${escapeHtml(text.slice(at, match.index))}<span class="c-${kind}">${escapeHtml(token)}</span>`
    at = match.index + token.length
  }
  return html + escapeHtml(text.slice(at))
}
