/** Which content coding an answer is to have (RFC 9110 12.5.3). Pure. */

/**
 * The coding that the client likes best of those offered, the first of equals; undefined: none, as it is.
 *
 * @param accept `Accept-Encoding`; without it nothing is said, and nothing is coded.
 */
export function codingFor<C extends string>(
  accept: string | undefined,
  offered: readonly C[],
): C | undefined {
  if (accept === undefined || accept === '' || offered.length === 0) return undefined
  const weights = new Map<string, number>()
  for (const part of accept.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    if (name !== '') weights.set(name === 'x-gzip' ? 'gzip' : name, weightOf(parameters))
  }
  const any = weights.get('*') ?? 0
  let best: C | undefined
  let most = 0
  for (const coding of offered) {
    const weight = weights.get(coding) ?? any
    if (weight > most) {
      best = coding
      most = weight
    }
  }
  return most >= (weights.get('identity') ?? 0) ? best : undefined
}

function weightOf(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith('q='))
  if (q === undefined) return 1
  const value = Number(q.slice(2))
  return value >= 0 && value <= 1 ? value : 0
}
