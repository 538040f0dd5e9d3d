/**
 * A server that answers raw bytes, as the scripts of the cases say, and remembers what it was asked. The runtime under test
 * steers it and asks for its record through `/control/...`, so that all asserting happens over there.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { play } from './raw-answer.ts'
import { parseHead, type RequestHead } from './raw-request.ts'
import type { Answers, Asked, Log, Seen, Step } from './script.ts'

/** Longer than anything takes; a case that waits in vain then says what it saw. */
const PATIENCE = 4000
/** Ports with the same content, for browsers with their six connections to each; the last one is the other origin. */
const ANY_ORIGIN = 'Access-Control-Allow-Origin: *\r\nCache-Control: no-store\r\n'

export interface RawServer {
  /** Same-origin places to run cases at. */
  readonly origins: readonly string[]
  readonly otherOrigin: string
  close(): Promise<void>
}

export interface RawServerOptions {
  readonly answers: readonly Answers[]
  readonly origins: number
  /** Texts to serve by path, as pages and scripts. */
  readonly files: Readonly<Record<string, string>>
  /** The number of the next case that somebody asks for; -1 when there are none. */
  next(lane: string): number
  report(text: string): void
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Record_ = Writable<Seen>

interface CaseState {
  readonly requests: Record_[]
  readonly preflights: Record_[]
  readonly gone: Set<string>
  latePort: number | undefined
}

export async function startRawServer(options: RawServerOptions): Promise<RawServer> {
  const states = options.answers.map((): CaseState => ({
    requests: [],
    preflights: [],
    gone: new Set(),
    latePort: undefined,
  }))
  const sockets = new Set<Socket>()
  const servers: Server[] = []
  const watchers = new Set<() => void>()
  const changed = (): void => {
    for (const watcher of watchers) watcher()
  }

  const listen = async (port: number): Promise<Server> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => accept(socket))
    servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    return server
  }
  const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const lanes = await Promise.all(Array.from({ length: options.origins + 1 }, () => listen(0)))
  const origins = lanes.map(originOf)
  const otherOrigin = origins.pop() ?? ''

  function accept(socket: Socket): void {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    let received = ''
    let record: Record_ | undefined
    let handled = false
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      received += text
      if (record) {
        record.body += text
        changed()
      }
      if (handled) return
      const request = parseHead(received)
      if (!request) return
      handled = true
      record = handle(socket, request, () => {
        if (record) record.ended = performance.now()
        received = ''
        record = undefined
        handled = false
        changed()
      })
    })
    const leave = (): void => {
      if (record && record.ended === undefined) record.closed ??= performance.now()
      changed()
    }
    socket.on('end', () => {
      leave()
      socket.destroy()
    })
    socket.on('close', leave)
  }

  function handle(socket: Socket, request: RequestHead, kept: () => void): Record_ | undefined {
    const [, kind, name = '', rest = ''] = /^\/(\w+)\/(\d+)\/(.*)$/s.exec(request.target) ?? []
    if (kind === 'c') return serveCase(socket, request, [Number(name), rest], kept)
    if (kind === 'control') void control(socket, request, Number(name), rest)
    else serveFile(socket, request)
    return undefined
  }

  function serveCase(
    socket: Socket,
    request: RequestHead,
    [index, path]: readonly [number, string],
    kept: () => void,
  ): Record_ | undefined {
    const state = states[index]
    const answers = options.answers[index]
    if (!state || !answers) {
      socket.end('HTTP/1.1 404 No Such Case\r\nContent-Length: 0\r\n\r\n')
      return undefined
    }
    const host = request.headers['host'] ?? ''
    const preflight = request.method === 'OPTIONS'
    const list = preflight ? state.preflights : state.requests
    const record: Record_ = {
      number: list.length,
      method: request.method,
      path,
      headers: request.headers,
      origin: `http://${host}`,
      otherOrigin: `http://${host}` === otherOrigin ? (origins[0] ?? '') : otherOrigin,
      folder: `/c/${index}/`,
      head: request.head,
      body: request.rest,
      host,
      at: performance.now(),
    }
    list.push(record)
    changed()
    const steps = preflight ? allowAll(request) : stepsOf(answers, record)
    const ended = (): void => {
      if (record.closed === undefined) record.ended ??= performance.now()
      changed()
    }
    void play(socket, steps, { waitFor: (name) => until(() => state.gone.has(name), Infinity), ended, kept })
    return record
  }

  async function control(socket: Socket, request: RequestHead, index: number, rest: string): Promise<void> {
    const [action = '', query = ''] = rest.split('?')
    const state = states[index]
    const answer = (value: unknown): void => {
      const text = JSON.stringify(value)
      const length = Buffer.byteLength(text)
      socket.end(
        `HTTP/1.1 200 OK\r\n${ANY_ORIGIN}Connection: close\r\nContent-Length: ${length}\r\n\r\n${text}`,
      )
    }
    if (action === 'next') return answer(options.next(query))
    if (action === 'report') {
      // The body may come after the head.
      let body = request.rest
      const length = Number(request.headers['content-length'] ?? 0)
      socket.on('data', (text: string) => {
        body += text
        changed()
      })
      await until(() => body.length >= length, PATIENCE)
      options.report(Buffer.from(body, 'latin1').toString('utf8'))
      return answer(true)
    }
    if (!state) return answer(null)
    if (action === 'go') {
      state.gone.add(query)
      changed()
      return answer(true)
    }
    if (action === 'log') {
      const wanted = new URLSearchParams(query)
      const atLeast = (key: string): number => Number(wanted.get(key) ?? 0)
      await until(() => {
        const { requests, preflights } = state
        return (
          requests.length >= atLeast('requests') &&
          preflights.length >= atLeast('preflights') &&
          requests.filter(({ closed }) => closed !== undefined).length >= atLeast('closed') &&
          requests.filter(({ ended }) => ended !== undefined).length >= atLeast('ended')
        )
      }, PATIENCE)
      const log: Log = { requests: state.requests, preflights: state.preflights }
      return answer(log)
    }
    if (action === 'late-port') {
      // A port where nobody listens until the case says so.
      const server = await listen(0)
      const origin = originOf(server)
      state.latePort = Number(new URL(origin).port)
      await new Promise<unknown>((resolve) => server.close(resolve))
      return answer(origin)
    }
    if (action === 'late-listen') {
      await listen(state.latePort ?? 0)
      return answer(true)
    }
    answer(null)
  }

  function serveFile(socket: Socket, request: RequestHead): void {
    const path = request.target.split('?')[0] ?? ''
    const text = options.files[path]
    const type = path.endsWith('.js') ? 'text/javascript' : 'text/html'
    socket.end(
      text === undefined
        ? 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
        : `HTTP/1.1 200 OK\r\nContent-Type: ${type};charset=utf-8\r\nConnection: close\r\n\r\n${text}`,
    )
  }

  /** Resolves when it holds, or after the milliseconds. */
  function until(holds: () => boolean, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        watchers.delete(look)
        clearTimeout(timer)
        resolve()
      }
      const look = (): void => {
        if (holds()) finish()
      }
      const timer = milliseconds === Infinity ? undefined : setTimeout(finish, milliseconds)
      watchers.add(look)
      look()
    })
  }

  return {
    origins,
    otherOrigin,
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

function stepsOf(answers: Answers, asked: Asked): readonly Step[] {
  if (typeof answers === 'function') return answers(asked)
  return answers[asked.number] ?? ['HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n']
}

/** The answer to a preflight. */
function allowAll({ headers }: RequestHead): readonly Step[] {
  const origin = headers['origin'] ?? '*'
  return [
    `HTTP/1.1 204 No Content\r\nConnection: close\r\nAccess-Control-Allow-Origin: ${origin}\r\n` +
      'Access-Control-Allow-Credentials: true\r\n' +
      `Access-Control-Allow-Headers: ${headers['access-control-request-headers'] ?? ''}\r\n` +
      `Access-Control-Allow-Methods: ${headers['access-control-request-method'] ?? ''}\r\n\r\n`,
  ]
}
