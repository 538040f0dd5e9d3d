/** A question before something that can't be undone. What the hub says against it is told in the same place. */
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'

export function Confirm({
  title,
  yes,
  no,
  act,
  onClose,
  children,
}: {
  title: string
  yes: string
  no: string
  /** @returns What is to be told when it was refused. */
  act: () => Promise<ComponentChildren | undefined>
  onClose: (done: boolean) => void
  children: ComponentChildren
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  const [refusal, setRefusal] = useState<ComponentChildren>(undefined)
  const [busy, setBusy] = useState(false)
  const done = useRef(false)
  const go = async (): Promise<void> => {
    if (busy) return
    setBusy(true)
    setRefusal(undefined)
    const refused = await act()
    setBusy(false)
    setRefusal(refused)
    if (refused !== undefined) return
    done.current = true
    dialog.current?.close()
  }
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby={heading} class="ch-confirm" onClose={() => onClose(done.current)}>
      <h2 id={heading}>{title}</h2>
      <p>{children}</p>
      <p role="alert" class="bad">
        {refusal}
      </p>
      <div class="tools">
        <button type="button" onClick={() => dialog.current?.close()}>
          {no}
        </button>
        <button type="button" class="ch-danger" aria-disabled={busy} onClick={() => void go()}>
          {yes}
        </button>
      </div>
    </dialog>
  )
}
