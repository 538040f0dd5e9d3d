/** How each server is asked: the requests, and nothing of their sending. */

export interface Dialect {
  /** The path that reads these channels as an event stream. */
  read(channels: readonly string[]): string
  /** One publish of these events: one request, or several in one write. */
  publish(channel: string, datas: readonly string[]): { readonly text: string; readonly requests: number }
}

const hub: Dialect = {
  read: (channels) => `/channels/${channels.join(',')}`,
  publish(channel, datas) {
    if (datas.length === 1) {
      return { text: post(`/channels/${channel}`, 'text/plain', datas[0] as string), requests: 1 }
    }
    const lines = datas.map((data) => `${JSON.stringify({ data })}\n`).join('')
    return { text: post(`/channels/${channel}`, 'application/x-ndjson', lines), requests: 1 }
  },
}

/** Nchan knows no batches; requests that come in one piece are the nearest thing. */
const nchan: Dialect = {
  read: (channels) => `/sub/${channels.join(',')}`,
  publish: (channel, datas) => ({
    text: datas.map((data) => post(`/pub/${channel}`, 'text/plain', data)).join(''),
    requests: datas.length,
  }),
}

/** Our own servers on `node:http` take an event a line. */
const plain: Dialect = {
  read: (channels) => `/sub/${channels.join(',')}`,
  publish: (channel, datas) => ({
    text: post(`/pub/${channel}`, 'text/plain', datas.join('\n')),
    requests: 1,
  }),
}

export const dialects: Readonly<Record<string, Dialect>> = { hub, nchan, plain }

function post(path: string, type: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** A read as Chromium asks: the size of a request is part of what a connection costs. */
export function getRequest(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    Host: '127.0.0.1',
    Connection: 'keep-alive',
    'sec-ch-ua-platform': '"Linux"',
    'Cache-Control': 'no-cache',
    'User-Agent':
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
    'sec-ch-ua': '"Chromium";v="156", "Not-A.Brand";v="24"',
    'sec-ch-ua-mobile': '?0',
    Accept: 'text/event-stream',
    'Sec-Fetch-Site': 'same-origin',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'empty',
    'Accept-Language': 'en-US,en;q=0.9',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}
