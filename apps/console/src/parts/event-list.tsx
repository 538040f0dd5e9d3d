/**
 * Thousands of lines, of which only those that can be seen are there. What one looks at stays where it is, whatever comes before
 * or behind it, unless one looks at the end: then the newest does.
 */
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import type { Line } from '../model/feed.ts'

const BEYOND = 6
/** So many lines from the top older ones are asked for. */
const NEAR = 30

/** A line that is to be brought into sight; another object each time. */
export interface Revealed {
  readonly id: string
}

interface View {
  top: number
  height: number
  /** The line at the top, and how much of it is above. */
  anchor: string | undefined
  within: number
  /** Where the anchor was last. */
  at: number
  revealed: Revealed | undefined
}

export function EventList({
  lines,
  row,
  rowHeight,
  label,
  selected,
  revealed,
  sticks,
  onSelect,
  onSee,
  onForward,
  onNearTop,
  onShort,
}: {
  lines: readonly Line[]
  row: (line: Line) => VNode
  rowHeight: number
  label: string
  selected: string | undefined
  revealed: Revealed | undefined
  /** Whether the end is to stay in sight. */
  sticks: boolean
  onSelect: (line: Line | undefined) => void
  /** Somebody scrolled, to the end or away from it. */
  onSee: (atEnd: boolean) => void
  /** The last line was chosen: what comes after it? */
  onForward: () => void
  onNearTop: () => void
  /** There is room for more. */
  onShort: () => void
}) {
  const element = useRef<HTMLDivElement>(null)
  const view = useRef<View>({
    top: 0,
    height: 0,
    anchor: undefined,
    within: 0,
    at: 0,
    revealed: undefined,
  }).current
  const [, again] = useReducer((count: number) => count + 1, 0)
  const whole = lines.length * rowHeight
  const most = Math.max(0, whole - view.height)
  if (revealed !== view.revealed) {
    view.revealed = revealed
    view.anchor = revealed?.id ?? view.anchor
    view.within = -Math.floor(view.height / 3)
  }
  view.top = sticks ? most : Math.max(0, Math.min(most, topOf(view, lines, rowHeight)))
  const from = Math.max(0, Math.floor(view.top / rowHeight) - BEYOND)
  const to = Math.min(lines.length, Math.ceil((view.top + view.height) / rowHeight) + BEYOND)

  const anchor = (): void => {
    view.at = Math.min(lines.length - 1, Math.floor(view.top / rowHeight))
    view.anchor = lines[view.at]?.id
    view.within = view.top - view.at * rowHeight
  }
  useLayoutEffect(() => {
    if (element.current && Math.abs(element.current.scrollTop - view.top) >= 1)
      element.current.scrollTop = view.top
    anchor()
  })
  useLayoutEffect(() => {
    const scroller = element.current as HTMLDivElement
    const observer = new ResizeObserver(() => {
      view.height = scroller.clientHeight
      again(undefined)
    })
    observer.observe(scroller)
    return () => observer.disconnect()
  }, [])
  const isShort = view.height > 0 && whole < view.height
  useEffect(() => {
    if (isShort) onShort()
  }, [isShort, lines.length])

  const look = (): void => {
    const scroller = element.current as HTMLDivElement
    const before = view.top
    if (Math.abs(scroller.scrollTop - before) < 1) return
    view.top = scroller.scrollTop
    anchor()
    if (view.top < before && view.top < NEAR * rowHeight) onNearTop()
    onSee(view.top >= most - 2)
    again(undefined)
  }
  const choose = (index: number): void => {
    const at = Math.min(lines.length - 1, Math.max(0, index))
    const line = lines[at]
    if (!line) return
    const upper = at * rowHeight
    if (upper < view.top) view.top = upper
    else if (upper + rowHeight > view.top + view.height) view.top = upper + rowHeight - view.height
    anchor()
    onSelect(line)
    if (at < NEAR) onNearTop()
    if (at === lines.length - 1) onForward()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const known = selected === undefined ? -1 : lines.findIndex(({ id }) => id === selected)
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1)
    const last = Math.min(lines.length, Math.floor((view.top + view.height) / rowHeight)) - 1
    const first = Math.ceil(view.top / rowHeight)
    switch (event.key) {
      case 'ArrowDown':
        choose(known < 0 ? first : known + 1)
        break
      case 'ArrowUp':
        choose(known < 0 ? last : known - 1)
        break
      case 'PageDown':
        choose((known < 0 ? first : known) + page)
        break
      case 'PageUp':
        choose((known < 0 ? last : known) - page)
        break
      case 'Home':
        choose(0)
        break
      case 'End':
        choose(lines.length - 1)
        break
      case 'Escape':
        onSelect(undefined)
        break
      default:
        return
    }
    event.preventDefault()
  }
  const active = lines.slice(from, to).some(({ id }) => id === selected) ? idOf(selected ?? '') : undefined
  return (
    <div
      class="ch-event-list"
      ref={element}
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={active}
      onScroll={look}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: `${whole}px` }}>
        {lines.slice(from, to).map((line, offset) => (
          <div
            key={line.id}
            id={idOf(line.id)}
            role="option"
            aria-selected={line.id === selected}
            aria-posinset={from + offset + 1}
            aria-setsize={lines.length}
            class="ch-row"
            style={{ transform: `translateY(${(from + offset) * rowHeight}px)`, height: `${rowHeight}px` }}
            onClick={() => onSelect(line)}
          >
            {row(line)}
          </div>
        ))}
      </div>
    </div>
  )
}

function idOf(line: string): string {
  return `line-${line.replaceAll(' ', '-')}`
}

function topOf({ anchor, at, within, top }: View, lines: readonly Line[], rowHeight: number): number {
  if (anchor === undefined) return top
  const known = lines[at]?.id === anchor ? at : lines.findIndex(({ id }) => id === anchor)
  // What one looked at is gone: it was older than what there is room for.
  return known < 0 ? Math.min(top, lines.length * rowHeight) : known * rowHeight + within
}
