/**
 * Claim: when all readers come back at once, from the same place, the log is read a few times and not once for each.
 *
 * 5,000 readers are cut; 200 events later they come back, 128 at a time, while 20 events a second go on and 100 readers have
 * stayed. Everybody gets every event.
 */
import { micros } from '../load/clock.ts'
import { saturation } from '../load/saturation.ts'
import { onStage } from '../load/stage.ts'
import { countingHub } from '../peers/hub.ts'
import { figure } from '../report/words.ts'
import type { Bench } from './bench.ts'

const BEHIND = 200
const STAYING = 100
/** Little enough for one core to tell all of them one by one. */
const RATE = 20

export const storm: Bench = {
  name: 'storm',
  claim: '5,000 readers cut at once come back 200 events behind, while 100 that stayed go on reading.',
  run({ quick, say }) {
    const count = quick ? 300 : 5_000
    const plan = { rate: RATE, seconds: quick ? 2 : 5, channels: 1, batch: 1, size: 200 }
    return onStage(countingHub(), 1, async (stage) => {
      const { server } = stage
      const { call } = stage.readers
      await stage.open([
        { tag: 'stayed', channels: [0], count: STAYING },
        { tag: 'cut', channels: [0], count },
      ])
      await stage.warmUp({ ...plan, seconds: 1 })
      const calm = await stage.measure(plan, 'stayed')
      await stage.settle()
      await call.cut('cut')
      await stage.publish({ ...plan, rate: BEHIND * 2, seconds: 0.5, batch: 50 })
      await stage.settle(['stayed'])

      const readsBefore = await server.ask<number>('reads')
      await call.reset()
      const [cpuBefore, waitedBefore] = [server.cpuMs(), server.waitedMs()]
      let back = false
      const publishing = until(
        () => back,
        () => stage.publish({ ...plan, seconds: 1 }),
      )
      const begun = micros()
      const request = stage.request([0], { 'Last-Event-ID': '{cursor}' })
      await call.reopen('cut', request, 128)
      const opened = (micros() - begun) / 1e6
      await call.caughtUp('cut', stage.quietMs)
      const caughtUp = (micros() - begun) / 1e6
      const cpu = (server.cpuMs() - cpuBefore) / 1000
      const serverWaited = (server.waitedMs() - waitedBefore) / 1000 / caughtUp
      const load = await call.result('cut')
      back = true
      await publishing
      await stage.settle()
      const reads = (await server.ask<number>('reads')) - readsBefore
      const stayed = await call.result('stayed')
      const readers = (load.cpuMs + load.waitedMs) / 1000 / caughtUp
      const { saturated } = saturation({ readers, serverWaited })
      say(`${figure(caughtUp)} s until all have caught up, ${reads} reads, p99 ${figure(stayed.p99)} ms`)
      return {
        tables: [
          {
            caption: `${count.toLocaleString('en')} readers, ${BEHIND} events behind`,
            head: ['', ''],
            rows: [
              ['all open again after', `${figure(opened)} s`],
              ['all caught up after', `${figure(caughtUp)} s`],
              [
                'CPU of the server until then',
                `${figure(cpu)} s, ${figure((cpu * 1e6) / count)} µs a reader`,
              ],
              ['reads of the engine', `${reads}`],
              ['p99 of those that stayed, before', `${figure(calm.p99)} ms`],
              [
                'p99 of those that stayed, meanwhile',
                `${figure(stayed.p99)} ms, max ${figure(stayed.max)} ms`,
              ],
            ],
          },
        ],
        targets: [
          { what: 'p99 of those that stayed', wanted: { atMost: 250 }, got: stayed.p99, unit: ' ms' },
          { what: 'reads of the engine', wanted: { atMost: 50 }, got: reads },
        ],
        notes: saturated === undefined ? [] : [`While all came back, ${saturated}.`],
      }
    })
  },
}

async function until(done: () => boolean, work: () => Promise<unknown>): Promise<void> {
  while (!done()) await work()
}
