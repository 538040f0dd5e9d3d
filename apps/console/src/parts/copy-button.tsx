/** Copies a text, and says so. */
import { useEffect, useState } from 'preact/hooks'
import { speech } from '../language.ts'
import { CHANNEL_WORDS } from '../words-channel.ts'

export function CopyButton({ text, title }: { text: string; title: string }) {
  const words = CHANNEL_WORDS[speech.language]
  const [said, setSaid] = useState<boolean | undefined>(undefined)
  useEffect(() => setSaid(undefined), [text])
  return (
    <span class="ch-copying">
      <button type="button" onClick={() => void copy(text).then(setSaid)}>
        {title}
      </button>
      <output>{said === undefined ? '' : said ? words.copied : words.notCopied}</output>
    </span>
  )
}

/** The clipboard is for secure contexts only, and a hub of one's own network may be none. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const field = document.createElement('textarea')
  const focused = document.activeElement as HTMLElement | null
  field.value = text
  field.style.position = 'fixed'
  field.style.opacity = '0'
  document.body.append(field)
  field.select()
  // oxlint-disable-next-line typescript/no-deprecated -- all there is without a secure context
  const done = document.execCommand('copy')
  field.remove()
  focused?.focus()
  return done
}
