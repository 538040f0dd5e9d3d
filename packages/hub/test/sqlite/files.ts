/** What people, and the loss of power, do to the files of a log. */
import { readFileSync, truncateSync, writeFileSync, statSync, openSync, writeSync, closeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Guard } from '../../src/log/sqlite/guard-file.ts'

/** A folder that goes when the test ends. */
export async function tempFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'downlink-files-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes over a part of a file, in place. */
export function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+')
  try {
    writeSync(fd, bytes, 0, bytes.length, at)
  } finally {
    closeSync(fd)
  }
}

/** Changes what the guard says; dated now, as it would be, unless `time` is among the changes. */
export function changeGuard(path: string, change: Partial<Guard>): void {
  const file = `${path}-guard`
  const guard = JSON.parse(readFileSync(file, 'utf8')) as Guard
  writeFileSync(file, JSON.stringify({ ...guard, time: Date.now(), ...change }).padEnd(512))
}

/** Cuts the last bytes off a file. */
export function shorten(path: string, bytes: number): void {
  truncateSync(path, statSync(path).size - bytes)
}
