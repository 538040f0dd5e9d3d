/** How to read a channel from elsewhere, as text to copy. Pure. */

export type SnippetKind = 'curl' | 'EventSource' | 'subscribe'

/** @param origin Of the hub, e.g. `https://updates.example`. */
export function snippet(kind: SnippetKind, origin: string, channel: string): string {
  const url = `${origin}/channels/${encodeURIComponent(channel).replaceAll('%3A', ':')}`
  switch (kind) {
    case 'curl':
      return `curl -N -H 'Accept: text/event-stream' ${shell(`${url}?last=10`)}`
    case 'EventSource':
      return [
        `const source = new EventSource(${JSON.stringify(`${url}?last=10`)})`,
        'source.onmessage = ({ data }) => console.log(data)',
        "source.addEventListener('downlink:gap', () => location.reload())",
      ].join('\n')
    case 'subscribe':
      return [
        "import { subscribe } from '@downlink/client'",
        '',
        `for await (const event of subscribe(${JSON.stringify(url)}, { last: 10 })) {`,
        '  console.log(event.data)',
        '}',
      ].join('\n')
  }
}

function shell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
