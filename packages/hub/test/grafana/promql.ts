/** So much of PromQL as a dashboard needs: expressions are read by its grammar, or refused. */

export interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'range' | 'sign'
  readonly text: string
}

/** What is asked for, and by which labels. */
export interface Asked {
  readonly metric: string
  readonly labels: readonly string[]
}

const AGGREGATIONS = ['sum', 'min', 'max', 'avg', 'count', 'topk']
/** Those that take a range. */
const RANGED = ['rate', 'increase']
const PLAIN = ['histogram_quantile']

const PARTS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['name', /[a-zA-Z_:][a-zA-Z0-9_:]*/y],
  ['number', /\d+(?:\.\d+)?/y],
  ['text', /"(?:[^"\\\n]|\\.)*"/y],
  ['range', /\[(?:\d+[smhd]|\$__rate_interval|\$__range)\]/y],
  ['sign', /=~|!~|!=|>=|<=|==|[-+*/><(){},=]/y],
]

/** @throws {SyntaxError} when it is no expression */
export function tokensOf(expr: string): readonly Token[] {
  const { tokens } = parse(expr)
  return tokens
}

/** @throws {SyntaxError} when it is no expression */
export function asked(expr: string): readonly Asked[] {
  return parse(expr).selectors
}

function parse(expr: string): { readonly tokens: readonly Token[]; readonly selectors: readonly Asked[] } {
  const parser = new Parser(expr)
  parser.whole()
  return parser
}

class Parser {
  readonly tokens: readonly Token[]
  readonly selectors: Asked[] = []
  readonly #expr: string
  #at = 0

  constructor(expr: string) {
    this.#expr = expr
    this.tokens = scan(expr)
  }

  whole(): void {
    this.#expression()
    if (this.#at < this.tokens.length) throw this.#fault('an end')
  }

  #expression(): void {
    this.#operand()
    while (['+', '-', '*', '/', '>', '<', '>=', '<=', '==', '!='].includes(this.#next?.text ?? '')) {
      this.#at++
      this.#operand()
    }
  }

  #operand(): void {
    const token = this.#take('an expression')
    if (token.kind === 'number') return
    if (token.text === '(') {
      this.#expression()
      this.#expect(')')
    } else if (token.kind !== 'name') throw this.#fault('an expression')
    else if (AGGREGATIONS.includes(token.text)) this.#aggregation()
    else if (RANGED.includes(token.text)) {
      this.#expect('(')
      this.#selector(this.#take('a metric'))
      if (this.#take('a range').kind !== 'range') throw this.#fault('a range')
      this.#expect(')')
    } else if (PLAIN.includes(token.text)) this.#arguments()
    else this.#selector(token)
  }

  #aggregation(): void {
    if (this.#next?.text === 'by' || this.#next?.text === 'without') {
      this.#at++
      this.#expect('(')
      do if (this.#take('a label').kind !== 'name') throw this.#fault('a label')
      while (this.#skip(','))
      this.#expect(')')
    }
    this.#arguments()
  }

  #arguments(): void {
    this.#expect('(')
    do this.#expression()
    while (this.#skip(','))
    this.#expect(')')
  }

  #selector({ kind, text }: Token): void {
    if (kind !== 'name') throw this.#fault('a metric')
    const labels: string[] = []
    if (this.#skip('{')) {
      do {
        const label = this.#take('a label')
        const sign = this.#take('a comparison')
        const value = this.#take('a text')
        if (label.kind !== 'name' || !/^(?:=|!=|=~|!~)$/.test(sign.text) || value.kind !== 'text')
          throw this.#fault('a label and its value')
        labels.push(label.text)
      } while (this.#skip(','))
      this.#expect('}')
    }
    this.selectors.push({ metric: text, labels })
  }

  get #next(): Token | undefined {
    return this.tokens[this.#at]
  }

  #take(what: string): Token {
    const token = this.#next
    if (token === undefined) throw this.#fault(what)
    this.#at++
    return token
  }

  #skip(text: string): boolean {
    if (this.#next?.text !== text) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw this.#fault(text)
  }

  #fault(wanted: string): SyntaxError {
    return new SyntaxError(`Expected ${wanted} at ${this.#next?.text ?? 'the end'} of ${this.#expr}`)
  }
}

function scan(expr: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < expr.length) {
    if (expr[at] === ' ') {
      at++
      continue
    }
    const found = PARTS.map(([kind, part]) => {
      part.lastIndex = at
      return { kind, text: part.exec(expr)?.[0] }
    }).find(({ text }) => text !== undefined)
    if (found?.text === undefined) throw new SyntaxError(`No token at ${expr.slice(at)}`)
    tokens.push({ kind: found.kind, text: found.text })
    at += found.text.length
  }
  return tokens
}
