/** How to read a channel from elsewhere, as text to copy. Pure; a test runs each against a hub. */

export type SnippetKind = 'curl' | 'EventSource' | 'subscribe'

export interface Subject {
  /** Of the hub, e.g. `https://updates.example`, with the path where it is mounted. */
  readonly base: string
  /** A name, a pattern, or several with commas. */
  readonly channels: string
  /** Types of events that have been seen. */
  readonly types?: readonly string[]
  /** Whether the hub wants to know who asks. */
  readonly withToken?: boolean
}

/** Types that are listened to by name: more make nothing clearer. */
const MOST_TYPES = 6

export function snippet(
  kind: SnippetKind,
  { base, channels, types = [], withToken = false }: Subject,
): string {
  const url = `${base}/channels/${encodeURIComponent(channels).replaceAll('%3A', ':').replaceAll('%2C', ',')}`
  const several = readsSeveral(channels)
  switch (kind) {
    case 'curl':
      return [
        `curl -N -H 'Accept: text/event-stream'`,
        ...(withToken ? ['-H "Authorization: Bearer $DOWNLINK_TOKEN"'] : []),
        shell(`${url}?last=10${several ? '&fields=channel' : ''}`),
      ].join(' \\\n  ')
    case 'EventSource':
      return eventSource(url, several, types.slice(0, MOST_TYPES), withToken)
    case 'subscribe':
      return [
        "import { subscribe } from '@downlink/client'",
        '',
        ...(withToken
          ? [
              '// A function, asked again when the hub no longer takes the token.',
              `const headers = () => ({ authorization: \`Bearer \${token}\` })`,
            ]
          : []),
        `const updates = subscribe(${quoted(url)}, { last: 10${withToken ? ', headers' : ''} })`,
        "updates.on('gap', ({ reason }) => console.log('history was lost:', reason))",
        `for await (const { ${several ? 'channel, ' : ''}type, data } of updates) {`,
        `  console.log(${several ? 'channel, ' : ''}type, data)`,
        '}',
      ].join('\n')
  }
}

/** Whether events of more than one channel come. */
export function readsSeveral(channels: string): boolean {
  return /[*,]/.test(channels)
}

function eventSource(url: string, several: boolean, types: readonly string[], withToken: boolean): string {
  const whole = `${url}?last=10${several ? '&data=event' : ''}`
  const named = types.filter((type) => type !== 'message')
  return [
    ...(withToken
      ? [
          "// The browser's own EventSource sends no headers; this one is the same, and does.",
          "import { EventSource } from '@downlink/client'",
          '',
          `const headers = { authorization: \`Bearer \${token}\` }`,
        ]
      : []),
    `const source = new EventSource(${quoted(whole)}${withToken ? ', { headers }' : ''})`,
    ...(several
      ? [
          'source.onmessage = (message) => {',
          '  const { channel, type, data } = JSON.parse(message.data)',
          '  console.log(channel, type, data)',
          '}',
        ]
      : [
          'const show = ({ type, data }) => console.log(type, data)',
          "source.addEventListener('message', show)",
          ...named.map((type) => `source.addEventListener(${quoted(type)}, show)`),
        ]),
    "source.addEventListener('downlink:gap', ({ data }) => console.log('history was lost:', data))",
  ].join('\n')
}

function shell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** As JavaScript, in single quotes. */
function quoted(text: string): string {
  return `'${JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"')
    .replaceAll("'", String.raw`\'`)}'`
}
