/** One term of a leader: the connection that reads for all, and what is told of it. All that a term has dies with it. */
import type { Asker } from '../subscribe/ask.ts'
import { createCourse, type Course } from '../subscribe/course.ts'
import { hubSources } from '../subscribe/subscription.ts'
import type { Item, Place as Standing } from '../subscribe/source.ts'
import type { ConnectionState } from '../subscribe/types.ts'
import { MOST_PARTS, type Place } from './parts.ts'

/** What a leader tells. Without items it is a beat. */
export interface News {
  /** The leader's roll call: to one that is new everybody answers. */
  readonly roll: string
  /** What is read. */
  readonly parts: readonly string[]
  /** Where the items follow, and where they lead. */
  readonly prev: string
  readonly cursor: string
  readonly items: readonly Item[]
  /** Without its error, which may not be told to others. */
  readonly state: ConnectionState
}

/** What a tab tells: what it reads; nothing when it leaves. */
export interface Want {
  readonly tab: string
  readonly parts: readonly string[]
  /** Whether it asks for a sign of life. */
  readonly ask?: boolean | undefined
}

/** Tabs that open together are waited for so long, lest each begins the stream anew. */
const GATHER = 50
/** Between roll calls: what nobody has asked for since the last one is not read any more. */
const ROLL = 300_000

export interface Term {
  readonly want: (want: Want) => void
  readonly lifecycle: Course['lifecycle']
  /** Idempotent. */
  readonly stop: () => void
}

/**
 * @param cursor Where it begins
 * @param known What has been read so far
 */
export function startTerm(
  asker: Asker,
  place: Place,
  cursor: string,
  known: readonly string[],
  post: (news: News) => void,
): Term {
  const { env } = asker
  const standing: Standing = { cursor, start: {}, hub: true, retry: 3000 }
  const wants = new Map([['', known]])
  let read: readonly string[] = []
  let roll: string
  let prev = cursor
  let state: ConnectionState
  let course: Course | undefined
  /** The courses so far: those before are not heard any more. */
  let courses = 0
  let gathering: (() => void) | undefined
  let cancelRoll: () => void

  function tell(items: readonly Item[] = []): void {
    const from = prev
    prev = standing.cursor ?? prev
    post({ roll, parts: read, prev: from, cursor: prev, items, state: { ...state, error: undefined } })
  }

  function union(): readonly string[] {
    return [...new Set([...place.parts, ...[...wants.values()].flat()])].slice(0, MOST_PARTS)
  }

  /** Reads anew from where it stands: without a hole or a repeat. */
  function begin(): void {
    const mine = stop()
    read = union()
    const asked = { ...asker, url: place.with(read) }
    course = createCourse(asked, standing, hubSources(asked), {
      take(items) {
        tell(items)
        return undefined
      },
      told(now) {
        if (mine !== courses) return
        state = now
        tell()
      },
      finished() {},
    })
    course.start()
  }

  function stop(): number {
    courses++
    gathering = gathering?.() as undefined
    course?.stop()
    return courses
  }

  function call(): void {
    roll = env.random().toString(36)
    cancelRoll = env.after(ROLL, call)
    if (union().length === read.length) tell()
    else begin()
    wants.clear()
  }

  call()
  return {
    want({ tab, parts, ask }) {
      wants.set(tab, parts)
      if (union().some((part) => !read.includes(part))) gathering ??= env.after(GATHER, begin)
      else if (ask) tell()
    },
    lifecycle: (event) => course?.lifecycle(event),
    stop() {
      cancelRoll()
      stop()
    },
  }
}
