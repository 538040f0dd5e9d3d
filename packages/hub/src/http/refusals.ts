/** From whatever went wrong to an answer: a problem, or for a bare EventSource that may come back, a stream that says when. */
import { Refusal } from '../auth/refusal.ts'
import { jitter } from '../clock.ts'
import type { Hub } from '../hub.ts'
import type { HttpRequest, WholeAnswer } from './message.ts'
import { wantsProblem } from './negotiate.ts'
import type { Trace, Witness } from './observe.ts'
import { type Problem, problemAnswer, toProblem } from './problem.ts'
import { emptyStream } from './read.ts'
import { asksForStream } from './read-request.ts'

/** A client that was refused for the time being may come back after this long, more or less. */
const COME_BACK_MS = 5_000

export class Refusals {
  readonly #hub: Hub
  readonly #witness: Witness

  constructor(hub: Hub, witness: Witness) {
    this.#hub = hub
    this.#witness = witness
  }

  /** @param begun As the witness said. */
  answer(request: HttpRequest, error: unknown, begun: number): WholeAnswer {
    const problem = this.#problemOf(error)
    if (error instanceof Refusal) this.#witness.noteSubject(request, error.subject)
    const trace = this.#witness.traceOf(request, begun)
    const honest = !problem.temporary || !asksForStream(request) || wantsProblem(request.header('accept'))
    const answer = honest
      ? this.#honest(problem, trace.id)
      : emptyStream(problem, this.#comeBackMs(), trace.id)
    this.#witness.refused(trace, answer.status, problem.code)
    return answer
  }

  /** To a long poll that has waited. */
  late(error: unknown, trace: Trace | undefined): WholeAnswer {
    const problem = this.#problemOf(error)
    const answer = this.#honest(problem, this.#witness.idOf(trace))
    this.#witness.refused(trace, answer.status, problem.code)
    return answer
  }

  #problemOf(error: unknown): Problem {
    const problem = toProblem(error)
    if (problem.limited !== undefined) this.#hub.limited.count(problem.limited)
    if (problem.code === 'internal') this.#hub.delivery.report(error)
    return problem
  }

  #honest(problem: Problem, id: string): WholeAnswer {
    const answer = problemAnswer(problem, id)
    if (!problem.temporary || 'retry-after' in answer.headers) return answer
    const retryAfter = String(Math.ceil(this.#comeBackMs() / 1000))
    return { ...answer, headers: { ...answer.headers, 'retry-after': retryAfter } }
  }

  #comeBackMs(): number {
    return jitter(this.#hub.clock, COME_BACK_MS, 1 / 2)
  }
}
