/** Writes to channels: who may, how fast, and then what `write.ts` does with them. */
import { NOBODY } from '../delivery/holder.ts'
import type { Hub } from '../hub.ts'
import type { Limiter, Who } from '../limits/limiter.ts'
import type { Lookout } from '../ops/lookout.ts'
import { checkTargets } from '../publish.ts'
import { type Access, holderOf } from './access.ts'
import { Memo } from './memo.ts'
import type { HttpRequest, WholeAnswer } from './message.ts'
import { namesOf } from './names-of.ts'
import { drop, publish, type PublishRequest, publishRequest } from './write.ts'

export class Writing {
  readonly #hub: Hub
  readonly #access: Access
  readonly #limiter: Limiter | undefined
  readonly #bodyLimit: number
  /** Is told how long publishes take. */
  readonly #lookout: Lookout | undefined
  readonly #targets = new Memo<readonly string[]>()

  /** @param limiter Undefined: as fast as they can. @param bodyLimit Bytes. */
  constructor(
    hub: Hub,
    access: Access,
    limiter: Limiter | undefined,
    bodyLimit: number,
    lookout: Lookout | undefined,
  ) {
    this.#hub = hub
    this.#access = access
    this.#limiter = limiter
    this.#bodyLimit = bodyLimit
    this.#lookout = lookout
  }

  publish(request: HttpRequest): Promise<WholeAnswer> {
    const lookout = this.#lookout
    if (lookout === undefined) return this.#answer(request)
    const begun = performance.now()
    return this.#answer(request).then((answer) => {
      lookout.published(performance.now() - begun)
      return answer
    })
  }

  #answer(request: HttpRequest): Promise<WholeAnswer> {
    const targets = this.#targets.get(request.path, () =>
      checkTargets(namesOf(request.path), this.#hub.limits.channels),
    )
    const plan = publishRequest(request)
    return this.#access.ruled
      ? this.#publishPermitted(request, targets, plan)
      : this.#publish(request, targets, plan, this.#limiter ? holderOf(request, NOBODY) : NOBODY)
  }

  async drop(request: HttpRequest): Promise<WholeAnswer> {
    const targets = checkTargets(namesOf(request.path), 1)
    const grant = await this.#access.permit(request, 'drop', targets)
    this.#limiter?.publish(holderOf(request, grant), targets, 1)
    return drop(this.#hub, request, targets[0] as string)
  }

  async #publishPermitted(
    request: HttpRequest,
    targets: readonly string[],
    plan: PublishRequest,
  ): Promise<WholeAnswer> {
    const grant = await this.#access.permit(request, 'publish', targets)
    if (plan.end) await this.#access.permit(request, 'end', targets)
    return this.#publish(request, targets, plan, holderOf(request, grant))
  }

  #publish(
    request: HttpRequest,
    targets: readonly string[],
    plan: PublishRequest,
    who: Who,
  ): Promise<WholeAnswer> {
    const body = this.#bodyLimit
    const limiter = this.#limiter
    if (limiter === undefined) return publish(this.#hub, request, targets, plan, who.subject, { body })
    // Before anything is read: who is too fast by far costs no more than being told so.
    limiter.check(who, targets, 1)
    const pace = (events: number): void => limiter.publish(who, targets, events)
    return publish(this.#hub, request, targets, plan, who.subject, { body, pace })
  }
}
