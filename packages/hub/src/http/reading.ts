/** Reads of channels: which channels a path means, and the answer by the transport that was asked for. */
import { checkPattern, coversPart } from '@downlink/wire'
import { coderOf, type Coding, CODINGS } from '../delivery/coding/coding.ts'
import type { Holder } from '../delivery/holder.ts'
import type { Hub } from '../hub.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import { codingFor } from './encoding.ts'
import { Memo } from './memo.ts'
import { type Answer, type HttpRequest, isNode, type LaterAnswer } from './message.ts'
import { namesOf } from './names-of.ts'
import { Polls } from './polls.ts'
import { longPoll, stream, webSocket } from './read.ts'
import { type ReadRequest, readRequest } from './read-request.ts'
import { UserAgents } from './user-agents.ts'

const STREAM_CODINGS = CODINGS.filter((coding) => coding !== 'identity')
const GZIP = ['gzip'] as const

export interface ReadingOptions {
  /** Whether everybody may read, so that a shared cache may keep pages. */
  readonly open: boolean
  /** Names and patterns of the channels whose streams are compressed. */
  readonly compress: readonly string[]
}

export class Reading {
  readonly #hub: Hub
  readonly #polls: Polls
  readonly #compress: readonly string[]
  readonly #sets = new Memo<ChannelSet>()
  readonly #userAgents = new UserAgents()

  /** @throws {WireError} `invalid-channel`, `invalid-pattern` */
  constructor(hub: Hub, { open, compress }: ReadingOptions) {
    this.#hub = hub
    this.#polls = new Polls(hub, open)
    this.#compress = compress.map(checkPattern)
  }

  setOf(path: string): ChannelSet {
    return this.#sets.get(path, () => this.#hub.channelSet(namesOf(path)))
  }

  planOf(request: HttpRequest): ReadRequest {
    const plan = readRequest(request, this.#hub.limits)
    if (plan.cut) this.#hub.limited.count('wait')
    return plan
  }

  answer(request: HttpRequest, set: ChannelSet, holder: Holder): Answer | LaterAnswer | Promise<Answer> {
    const plan = this.planOf(request)
    if (plan.transport === 'sse' || plan.transport === 'websocket') {
      return this.stream(request, set, plan, holder)
    }
    if (plan.transport === 'long-poll') {
      return longPoll(this.#hub, request, set, plan, this.#userAgents.holder(request, holder))
    }
    return this.#polls.answer(set, plan, request)
  }

  /** By an event stream or a WebSocket. */
  stream(request: HttpRequest, set: ChannelSet, plan: ReadRequest, holder: Holder): Answer | Promise<Answer> {
    const held = this.#userAgents.holder(request, holder)
    if (plan.transport === 'websocket') return webSocket(this.#hub, request, set, plan, held)
    return stream(this.#hub, request, set, plan, this.#codingOf(request, set), held)
  }

  #codingOf(request: HttpRequest, set: ChannelSet): Coding {
    const rules = this.#compress
    if (rules.length === 0) return 'identity'
    // Node's zstd decoder would lose events: see `coding/zstd.ts`.
    const offered = isNode(request.header('user-agent')) ? GZIP : STREAM_CODINGS
    const wanted = codingFor(request.header('accept-encoding'), offered)
    const covered = (part: string): boolean => rules.some((rule) => coversPart(rule, part))
    return wanted !== undefined && set.parts.every(covered) && coderOf(wanted) ? wanted : 'identity'
  }
}
