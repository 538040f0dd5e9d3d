/** One process at a time: tests that run side by side build into the same folders. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** How long to wait before looking again, in milliseconds. */
const PAUSE = 100

/**
 * Waits, without giving way to anything else in this process, until no other process holds the lock. The lock of a
 * process that has died counts for nothing.
 *
 * @template T
 * @param {string} path the lock, a file
 * @param {() => T} action synchronous
 * @returns {T}
 */
export function withLock(path, action) {
  mkdirSync(dirname(path), { recursive: true })
  const own = `${path}.${process.pid}`
  writeFileSync(own, String(process.pid))
  try {
    while (!take(own, path)) {
      if (isHeld(path)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
      else rmSync(path, { force: true })
    }
    try {
      return action()
    } finally {
      rmSync(path, { force: true })
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** A link appears at once with its content, which a file that is created and then written does not. */
function take(own, path) {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function isHeld(path) {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0)
    return true
  } catch (error) {
    // The process is there, and another user's.
    return error.code === 'EPERM'
  }
}
