/** `downlink log info`, `verify` and `compact`. */
import { resolve } from 'node:path'
import type { LogIo } from './log.ts'
import { withEngine } from './log-engine.ts'
import { amount } from './open-log.ts'
import { written } from './written.ts'

/** @throws {Failure} */
export async function infoOfLog(path: string, json: boolean, { stdout }: LogIo): Promise<number> {
  const facts = await withEngine(({ inspect }) => inspect(resolve(path)))
  if (json) {
    await written(stdout, `${JSON.stringify(facts)}\n`)
    return 0
  }
  const { files, oldest, newest } = facts
  const standing = {
    clean: 'no hub uses it, and the last one closed it',
    unclean:
      'no hub uses it, and the last one was not stopped as it should be: the next one looks after that',
    'in use': 'a hub uses it',
  }
  const lines = {
    log: facts.path,
    state: standing[facts.standing],
    file: `${sizeText(files.db)}, of which ${sizeText(facts.free)} free; ${sizeText(files.wal)} in -wal`,
    format: String(facts.format),
    epoch: `${facts.epoch} (${facts.epochs === 1 ? 'the first' : `number ${facts.epochs}`})`,
    cursor: facts.cursor,
    channels: facts.channels.toLocaleString('en'),
    events: facts.events.toLocaleString('en'),
    data: sizeText(facts.bytes),
    oldest: oldest === undefined ? '-' : new Date(oldest).toISOString(),
    newest: newest === undefined ? '-' : new Date(newest).toISOString(),
  }
  const text = Object.entries(lines).map(([name, value]) => `${name.padEnd(9)} ${value}\n`)
  await written(stdout, text.join(''))
  return 0
}

/** 1 when something is wrong. @throws {Failure} */
export async function verifyLog(path: string, { stdout, tell }: LogIo): Promise<number> {
  const { channels, events, problems, notes } = await withEngine(({ verify }) =>
    verify(resolve(path), seldom(tell)),
  )
  for (const note of notes) tell(note)
  const counted = `${amount(channels, 'channel')}, ${amount(events, 'event')}`
  if (problems.length === 0) {
    await written(stdout, `ok: ${counted}\n`)
    return 0
  }
  await written(stdout, problems.map((line) => `${line}\n`).join(''))
  tell(
    `${path} is damaged (${counted} could be read): restore a backup, or export what can be read and begin anew`,
  )
  return 1
}

/** @throws {Failure} */
export async function compactLog(path: string, { stdout, tell }: LogIo): Promise<number> {
  const { before, after, running } = await withEngine(({ compact }) => compact(resolve(path), seldom(tell)))
  const how = running ? ' (a hub uses it: only free pages were given back)' : ''
  await written(stdout, `${sizeText(before)} before, ${sizeText(after)} after${how}\n`)
  return 0
}

/** Nothing of what is over in a moment, then a line every few seconds. */
export function seldom(
  tell: (line: string) => void,
  now: () => number = () => performance.now(),
): (what: string) => void {
  let next = now() + 2_000
  return (what) => {
    if (now() < next) return
    next = now() + 5_000
    tell(`${what} …`)
  }
}

/** `12 KB`, `3.4 MB`; of 1,024 each. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  let size = bytes
  let unit = 0
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024
  return `${size >= 100 || unit === 0 ? Math.round(size) : Math.round(size * 10) / 10} ${units[unit]}`
}
