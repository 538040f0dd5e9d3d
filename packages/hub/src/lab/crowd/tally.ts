/** What the clients of one technique met at their own sockets. */
import type { Counts } from './plan.ts'

export class Tally {
  requests = 0
  empty = 0
  refused = 0
  connections = 0
  mostConnections = 0
  readonly in: { head: number; body: number } = { head: 0, body: 0 }
  readonly out: { head: number; body: number } = { head: 0, body: 0 }

  connected(): void {
    this.connections++
    this.mostConnections = Math.max(this.mostConnections, this.connections)
  }

  disconnected(): void {
    this.connections--
  }

  report(): Counts {
    const { requests, empty, refused, connections, mostConnections } = this
    return {
      requests,
      empty,
      refused,
      connections,
      mostConnections,
      bytesIn: { ...this.in },
      bytesOut: { ...this.out },
    }
  }
}
