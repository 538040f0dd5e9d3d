/** A table of thousands of rows, of which only those that can be seen are there. */
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  /** Sorts by it when clicked. */
  readonly sorts?: boolean
  readonly numeric?: boolean
  /** Left out where there is little room. */
  readonly wide?: boolean
  readonly cell: (row: Row) => ComponentChildren
}

const ROW = 36
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
  rows: readonly Row[]
  keyOf: (row: Row) => string | number
  sort?: string
  descending?: boolean
  onSort?: (key: string) => void
}) {
  const scroller = useRef<HTMLDivElement>(null)
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
  const shown = rows.slice(from, to)
  return (
    <div class="scroller" ref={scroller} onScroll={look} tabIndex={0} role="region" aria-label={caption}>
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {columns.map(({ key, title, sorts, numeric, wide }) => (
              <th
                key={key}
                scope="col"
                class={className(numeric, wide)}
                aria-sort={sort === key ? (descending ? 'descending' : 'ascending') : undefined}
              >
                {sorts && onSort ? (
                  <button type="button" onClick={() => onSort(key)}>
                    {title}
                    <span aria-hidden="true">{sort === key ? (descending ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                ) : (
                  title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {from > 0 && <tr aria-hidden="true" style={{ height: `${from * ROW}px` }} />}
          {shown.map((row, at) => (
            <tr key={keyOf(row)} aria-rowindex={from + at + 2}>
              {columns.map(({ key, cell, numeric, wide }) => (
                <td key={key} class={className(numeric, wide)}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {to < rows.length && <tr aria-hidden="true" style={{ height: `${(rows.length - to) * ROW}px` }} />}
        </tbody>
      </table>
    </div>
  )
}

function className(numeric?: boolean, wide?: boolean): string {
  return `${numeric ? 'numeric' : ''} ${wide ? 'wide' : ''}`.trim()
}
