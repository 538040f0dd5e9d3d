/** Targets with a fault in them, for the test that a fault is found. */
import type { Target } from './target.ts'

const base = { claim: 'It has a fault.', count: 1_000, short: 1_000, corpus: [] }
const letters = 'abcdefghij'.split('')

const wrong: Target<string> = {
  ...base,
  name: 'wrong',
  make: (random) => random.text(letters, 20),
  check(text) {
    if (text.includes('b') && text.includes('h')) throw new Error('b and h')
    return 'right'
  },
}

const slow: Target<number> = {
  ...base,
  name: 'slow',
  make: (random) => random.below(100),
  check(number) {
    const until = performance.now() + (number === 7 ? 60 : 0)
    while (performance.now() < until);
    return 'done'
  },
}

const hanging: Target<number> = {
  ...base,
  name: 'hanging',
  make: (random) => random.below(100),
  check(number) {
    for (;;) if (number !== 7) return 'done'
  },
}

const kept: string[] = []
const growing: Target<string> = {
  ...base,
  name: 'growing',
  make: (random) => random.text(letters, 200),
  check(text) {
    kept.push(`${text}!`.split('').join(' '))
    return 'kept'
  },
}

const hungry: Target<number> = {
  ...base,
  name: 'hungry',
  make: (random) => random.below(1e6),
  check(number) {
    const all: number[][] = []
    for (;;) {
      all.push(Array<number>(10_000).fill(number))
      if (number < 0) return `${all.length}`
    }
  },
}

export const targets: readonly Target[] = [wrong, slow, hanging, growing, hungry]
