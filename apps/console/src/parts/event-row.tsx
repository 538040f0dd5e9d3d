/** What a line of the list says. */
import type { VNode } from 'preact'
import { bytes } from '../format.ts'
import { bytesOf, preview } from '../model/event-data.ts'
import type { Line, ToldLine } from '../model/feed.ts'
import { momentOf } from '../model/moment.ts'
import type { Language } from '../words.ts'
import { CHANNEL_WORDS, type ChannelWords } from '../words-channel.ts'

/** A line is made once: most of those in sight were there in the frame before. */
export function rowsOf(language: Language, several: boolean): (line: Line) => VNode {
  const words = CHANNEL_WORDS[language]
  const known = new WeakMap<Line, VNode>()
  return (line) => {
    let row = known.get(line)
    if (row === undefined) known.set(line, (row = rowOf(line, words, language, several)))
    return row
  }
}

function rowOf(line: Line, words: ChannelWords, language: Language, several: boolean): VNode {
  if (line.kind !== 'event') return <span class="ch-told">{toldOf(line, words, several)}</span>
  return (
    <>
      <time>{momentOf(line.time, language)}</time>
      <span class={line.type === 'message' ? 'ch-type ch-plain' : 'ch-type'}>{line.type}</span>
      {several && <span class="ch-channel">{line.channel}</span>}
      <span class="ch-preview">{preview(line.data)}</span>
      <span class="ch-size">{bytes(bytesOf(line), language)}</span>
    </>
  )
}

function toldOf({ kind, reason, channels }: ToldLine, words: ChannelWords, several: boolean): string {
  const which = several && channels.length > 0 ? ` (${channels.slice(0, 5).join(', ')})` : ''
  return `${textOf(kind, reason, words)}${which}`
}

function textOf(kind: ToldLine['kind'], reason: string, words: ChannelWords): string {
  if (kind === 'end') return words.endTold
  const [trimmed, deleted, unknown] =
    kind === 'begin'
      ? [words.beginTrimmed, words.beginDeleted, words.beginUnknown]
      : [words.gapTrimmed, words.gapDeleted, words.gapUnknown]
  switch (reason) {
    case '':
      return words.begin
    case 'trimmed':
      return trimmed
    case 'deleted':
      return deleted
    case 'epoch':
      return words.gapEpoch
    default:
      return unknown
  }
}
