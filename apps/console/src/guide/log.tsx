/** Lines as they come, the newest in sight; a screen reader hears what is added. */
import { useEffect, useRef } from 'preact/hooks'
import type { LogLine } from './run.ts'

export function Log({ lines, label, empty }: { lines: readonly LogLine[]; label: string; empty: string }) {
  const list = useRef<HTMLDivElement>(null)
  const newest = lines.at(-1)?.key
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight
  }, [newest])
  return (
    <div class="log" role="log" aria-label={label} ref={list} tabIndex={0}>
      {lines.length === 0 && <p class="quiet">{empty}</p>}
      {lines.map(({ key, kind, what, text, at }) => (
        <p key={key} class={kind}>
          <time>{(at / 1000).toFixed(2)}</time>
          {what !== '' && <b>{what}</b>} <span>{text}</span>
        </p>
      ))}
    </div>
  )
}
