/** `res.write` of a frame that is made once for all. With `BENCH_FAULT` it makes a mistake now and then, for `selfcheck`. */
import type { ServerResponse } from 'node:http'
import { serveLines } from './lines-server.ts'

const fault = process.env['BENCH_FAULT']
/** Which of a channel's events goes wrong, and for which of its readers. */
const FAULTY = { event: 20, reader: 3 }

const readers = new Map<string, Set<ServerResponse>>()
const counts = new Map<string, number>()
let id = 0
let held: { readonly res: ServerResponse; readonly frame: Buffer } | undefined

serveLines({
  subscribe(names, req, res) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    res.flushHeaders()
    for (const name of names) {
      let set = readers.get(name)
      if (set === undefined) readers.set(name, (set = new Set()))
      set.add(res)
      req.on('close', () => set.delete(res))
    }
  },
  publish(name, data) {
    const frame = Buffer.from(`id: ${++id}\ndata: ${data}\n\n`)
    const all = readers.get(name) ?? []
    if (fault === undefined) for (const res of all) res.write(frame)
    else writeWithFault(name, frame, all)
  },
})

function writeWithFault(name: string, frame: Buffer, all: Iterable<ServerResponse>): void {
  const count = counts.get(name) ?? 0
  counts.set(name, count + 1)
  if (fault === 'drop-for-all' && count === FAULTY.event) return
  let reader = 0
  for (const res of all) {
    if (count === FAULTY.event && reader++ === FAULTY.reader) {
      writeWrong(res, frame)
      continue
    }
    res.write(frame)
    if (held?.res === res) {
      res.write(held.frame)
      held = undefined
    }
  }
}

function writeWrong(res: ServerResponse, frame: Buffer): void {
  if (fault === 'double') {
    res.write(frame)
    res.write(frame)
  } else if (fault === 'swap') {
    held = { res, frame }
  } else if (fault === 'alter') {
    const altered = Buffer.from(frame)
    altered[altered.length - 10] = (altered[altered.length - 10] as number) ^ 1
    res.write(altered)
  }
}
