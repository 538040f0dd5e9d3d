/** From lines to the body of a publish. Pure. */

/** An event as it is sent: a line of standard input, or the argument. */
export interface Entry {
  /** The number of the line it came from; absent for the argument. */
  readonly line?: number
  /** The data, or with `--ndjson` the JSON of the event. */
  readonly text: string
}

export interface BatchLimit {
  readonly events: number
  /** Of the body. A single entry may be larger: what is too large is for the hub to say. */
  readonly bytes: number
}

export interface Body {
  readonly contentType: string
  readonly text: string
}

/** The default limits of a hub are 10,000 events (lines times channels) and 1 MiB. */
export function batchLimit(channels: number): BatchLimit {
  return { events: Math.max(1, Math.min(1_000, Math.floor(10_000 / channels))), bytes: 512 * 1024 }
}

/** Bytes that an entry takes in a batch. Counted once, when it arrives. */
export function sizeOf(entry: Entry, ndjson: boolean): number {
  return Buffer.byteLength(lineOf(entry, ndjson)) + 1
}

/** How many of the sizes, from the first, fit into one batch: one at least. */
export function fitting(sizes: readonly number[], limit: BatchLimit): number {
  let bytes = 0
  let count = 0
  for (const size of sizes) {
    bytes += size
    if (count > 0 && (count === limit.events || bytes > limit.bytes)) break
    count++
  }
  return count
}

/** One line of text is sent as it is, so that a line as large as the hub's limit gets through. */
export function bodyOf(entries: readonly Entry[], ndjson: boolean): Body {
  const [only] = entries
  if (!ndjson && only !== undefined && entries.length === 1) {
    return { contentType: 'text/plain; charset=utf-8', text: only.text }
  }
  return {
    contentType: 'application/x-ndjson',
    text: entries.map((entry) => lineOf(entry, ndjson)).join('\n'),
  }
}

function lineOf({ text }: Entry, ndjson: boolean): string {
  return ndjson ? text : JSON.stringify({ data: text })
}
