/** The guide's scripts say `/channels/orders`; here they run in channels of their own, so that no real one is touched. Pure. */

const OWN = new Set(['message', 'open', 'error'])

export class Names {
  readonly prefix: string

  /** @param prefix E.g. `guide.k3x9.` */
  constructor(prefix: string) {
    this.prefix = prefix
  }

  /** A path as a script has it to one of its own, without the slash before it. What is no channel stays. */
  path(asked: string): string {
    const [path = '', query] = asked.replace(/^\//, '').split('?')
    const names = /^channels\/(.+)$/.exec(path)?.[1]
    if (names === undefined) return asked.replace(/^\//, '')
    const own = names.split(',').map((name) => this.channel(name))
    return `channels/${own.join(',')}${query === undefined ? '' : `?${query}`}`
  }

  channel(name: string): string {
    return this.prefix + name
  }

  /** The type to listen for, at a source of this path: `?event=channel` names events by their channels. */
  type(asked: string, type: string): string {
    const byChannel = /[?&]event=channel\b/.test(asked) && !OWN.has(type) && !type.startsWith('downlink:')
    return byChannel ? this.channel(type) : type
  }

  /** As the script knows it. */
  plain(text: string): string {
    return text.replaceAll(this.prefix, '')
  }
}

/** The channels that a path names, patterns apart. */
export function channelsOf(path: string): readonly string[] {
  const names = /^\/?channels\/([^?]+)/.exec(path)?.[1] ?? ''
  return names.split(',').filter((name) => name !== '' && !name.includes('*'))
}
