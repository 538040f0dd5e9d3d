/** Time that the processes of one machine agree on. */

/** `hrtime` is the machine's own monotonic clock; `performance.now()` begins with each process, and is cheaper to ask. */
const begin = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000

/** Microseconds. */
export function micros(): number {
  return begin + performance.now() * 1000
}
