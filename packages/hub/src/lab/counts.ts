/** What is counted of one technique at the hub's sockets. Pure. */
import type { TechniqueReport } from './report.ts'

/** The part of a report that is measured at the hub's sockets. */
export type Counts = Pick<
  TechniqueReport,
  'requests' | 'empty' | 'refused' | 'overHttp2' | 'connections' | 'mostConnections' | 'bytesIn' | 'bytesOut'
>

/** Of an answer: how it counts beside its bytes. `lost`: the client was gone before it. */
export type Outcome = 'filled' | 'empty' | 'refused' | 'lost'

export class Counter {
  requests = 0
  empty = 0
  refused = 0
  overHttp2 = 0
  readonly in = { head: 0, body: 0 }
  readonly out = { head: 0, body: 0 }
  /** Those that are open. */
  readonly #connections = new Set<object>()
  #most = 0

  get used(): boolean {
    return this.requests > 0
  }

  settle(outcome: Outcome): void {
    if (outcome === 'empty') this.empty++
    else if (outcome === 'refused') this.refused++
  }

  connect(connection: object): void {
    this.#connections.add(connection)
    this.#most = Math.max(this.#most, this.#connections.size)
  }

  disconnect(connection: object): void {
    this.#connections.delete(connection)
  }

  /** @param open What is under way on streams that are open. */
  report(open: { readonly head: number; readonly body: number; readonly received: number }): Counts {
    return {
      requests: this.requests,
      empty: this.empty,
      refused: this.refused,
      ...(this.overHttp2 > 0 && { overHttp2: this.overHttp2 }),
      connections: this.#connections.size,
      mostConnections: this.#most,
      bytesIn: { head: this.in.head, body: this.in.body + open.received },
      bytesOut: { head: this.out.head + open.head, body: this.out.body + open.body },
    }
  }
}
