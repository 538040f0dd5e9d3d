/** A table of thousands of rows, of which only those that can be seen are there. */
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Rows } from '../model/channel-order.ts'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  /** Sorts by it when clicked. */
  readonly sorts?: boolean
  readonly numeric?: boolean
  /** Left out where there is little room, or less than a tablet has. */
  readonly wide?: boolean
  readonly medium?: boolean
  readonly cell: (row: Row) => ComponentChildren
}

export const ROW = 36
const BEYOND = 8

export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  sort,
  descending,
  onSort,
}: {
  caption: string
  columns: readonly Column<Row>[]
  rows: Rows<Row>
  keyOf: (row: Row) => string | number
  sort?: string
  descending?: boolean
  onSort?: (key: string) => void
}) {
  const scroller = useRef<HTMLDivElement>(null)
  const focused = useFocus(scroller)
  const [[from, to], setRange] = useState<readonly [number, number]>([0, 30])
  const look = (): void => {
    const element = scroller.current
    if (!element) return
    const first = Math.max(0, Math.floor(element.scrollTop / ROW) - BEYOND)
    const last = Math.ceil((element.scrollTop + element.clientHeight) / ROW) + BEYOND
    setRange((before) => (before[0] === first && before[1] === last ? before : [first, last]))
  }
  useLayoutEffect(() => {
    look()
    const observer = new ResizeObserver(look)
    if (scroller.current) observer.observe(scroller.current)
    return () => observer.disconnect()
  }, [])
  // What was asked for is another now: its beginning is what is wanted.
  useLayoutEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0
  }, [sort, descending])
  useLayoutEffect(() => focused.keep())
  const last = Math.min(to, rows.length)
  const first = Math.min(from, last)
  return (
    <div class="scroller" ref={scroller} onScroll={look} tabIndex={0} role="region" aria-label={caption}>
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                class={className(column)}
                aria-sort={sort === column.key ? (descending ? 'descending' : 'ascending') : undefined}
              >
                {column.sorts && onSort ? (
                  <button type="button" onClick={() => onSort(column.key)}>
                    {column.title}
                    <span class="arrow" aria-hidden="true">
                      {sort === column.key ? (descending ? '↓' : '↑') : ''}
                    </span>
                  </button>
                ) : (
                  column.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr key="before" aria-hidden="true" style={{ height: `${first * ROW}px` }} />}
          {rows.slice(first, last).map((row, at) => (
            <tr key={`row ${keyOf(row)}`} data-row={keyOf(row)} aria-rowindex={first + at + 2}>
              {columns.map((column) => (
                <td key={column.key} class={className(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {last < rows.length && (
            <tr key="after" aria-hidden="true" style={{ height: `${(rows.length - last) * ROW}px` }} />
          )}
        </tbody>
      </table>
    </div>
  )
}

function className<Row>({ numeric, wide, medium }: Column<Row>): string | undefined {
  const names = [numeric && 'numeric', wide && 'wide', medium && 'medium'].filter(Boolean)
  return names.length === 0 ? undefined : names.join(' ')
}

/**
 * The focus goes with its row: a row that is moved loses it, and so does one that goes away. Then it is on the table, from where the
 * next Tab leads on.
 */
function useFocus(scroller: { readonly current: HTMLDivElement | null }): { keep(): void } {
  const held = useRef<{ readonly row: string; readonly cell: number; readonly element: Element } | undefined>(
    undefined,
  )
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const note = ({ target }: FocusEvent): void => {
      const at = target as HTMLElement
      const row = at.closest<HTMLElement>('[data-row]')?.dataset['row']
      const cell = at.closest('td')?.cellIndex ?? -1
      held.current = row === undefined ? undefined : { row, cell, element: at }
    }
    // Whoever takes it elsewhere, takes it; one that was removed takes it nowhere.
    const leave = ({ relatedTarget }: FocusEvent): void => {
      if (relatedTarget !== null) held.current = undefined
    }
    const press = (): void => (held.current = undefined)
    element.addEventListener('focusin', note)
    element.addEventListener('focusout', leave)
    document.addEventListener('pointerdown', press)
    return () => {
      element.removeEventListener('focusin', note)
      element.removeEventListener('focusout', leave)
      document.removeEventListener('pointerdown', press)
    }
  }, [])
  return {
    keep() {
      const at = held.current
      if (at === undefined || document.activeElement !== document.body) return
      const row = scroller.current?.querySelector<HTMLTableRowElement>(`[data-row="${CSS.escape(at.row)}"]`)
      const cell = row?.cells[at.cell]?.querySelector<HTMLElement>('a, button')
      if (cell) cell.focus({ preventScroll: true })
      else scroller.current?.focus({ preventScroll: true })
    },
  }
}
