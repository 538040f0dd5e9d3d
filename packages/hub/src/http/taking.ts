/** Answers that wait for their clients to take them: who takes nothing holds its answer, and its connection, no longer than allowed. */
import type { Writable } from 'node:stream'
import type { Hub } from '../hub.ts'
import { Deadlines } from './deadlines.ts'

export class Taking {
  readonly #hub: Hub
  readonly #deadlines: Deadlines

  constructor(hub: Hub, ms: number) {
    this.#hub = hub
    this.#deadlines = new Deadlines(ms)
  }

  /**
   * To be called when bytes of an answer wait, which is rare: mostly the kernel takes all at once. Over with `finish` or `close`, or
   * when what is returned is called.
   */
  watch(answer: Writable): () => void {
    const over = (): void => {
      this.#deadlines.delete(expire)
      answer.off('finish', over).off('close', over)
    }
    const expire = (): void => {
      over()
      this.#hub.limited.count('answer-time')
      answer.destroy()
    }
    this.#deadlines.add(expire)
    answer.on('finish', over).on('close', over)
    return over
  }
}
