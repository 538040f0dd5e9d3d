/** Plays the script of an answer on a socket. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { constants, createGzip } from 'node:zlib'
import type { Step } from './script.ts'

export interface Player {
  readonly waitFor: (name: string) => Promise<void>
  /** Before the server ends the connection. */
  readonly ended: () => void
  /** The connection waits for another request. */
  readonly kept: () => void
}

export async function play(
  socket: Socket,
  steps: readonly Step[],
  { waitFor, ended, kept }: Player,
): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return
    if (typeof step === 'string' || step instanceof Uint8Array) await write(socket, step)
    else if ('wait' in step) await waitFor(step.wait)
    else if ('gap' in step) await sleep(step.gap)
    else if ('gzip' in step) await writeCompressed(socket, step.gzip)
    else if (step.end === 'hang') return
    else if (step.end === 'keep') return kept()
    else {
      ended()
      if (step.end === 'reset') socket.resetAndDestroy()
      else socket.end()
      return
    }
  }
  ended()
  socket.end()
}

function write(socket: Socket, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => socket.write(data, () => resolve()))
}

async function writeCompressed(socket: Socket, pieces: readonly string[]): Promise<void> {
  const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
  gzip.on('data', (chunk: Buffer) => socket.write(chunk))
  for (const piece of pieces) {
    await new Promise<void>((resolve) => gzip.write(piece, () => resolve()))
    await sleep(2)
  }
  await new Promise<void>((resolve) => {
    gzip.once('end', resolve)
    gzip.end()
  })
}
