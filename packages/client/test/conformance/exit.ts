/** Whether a process ends by itself: when all its sources are closed, and not before. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Runtime, runScript, writeBundle } from './process.ts'
import { startRawServer } from './raw-server.ts'
import { type Answers, HANG, RESET, head, soon, status, stream } from './script.ts'

interface Program {
  readonly name: string
  readonly answers: Answers
  /** Has `source`, and `say`. */
  readonly code: string
  readonly says: string
}

/** Less than the reconnection time of those that would wait; and enough for a busy machine. */
const SOON = 20_000
/** Sources that would wait for long if they were not closed. */
const LONG = 'retry: 60000\n\n'

const programs: readonly Program[] = [
  { name: 'closed at once', answers: [[HANG]], code: 'source.close()', says: '' },
  {
    name: 'closed while the server has not answered',
    answers: [[HANG]],
    code: 'setTimeout(() => source.close(), 50)',
    says: '',
  },
  { name: 'closed in open', answers: [stream(HANG)], code: 'source.onopen = () => source.close()', says: '' },
  {
    name: 'closed in a message',
    answers: [stream('data: a\n\n'.repeat(100), HANG)],
    code: 'source.onmessage = ({ data }) => { say(data); source.close() }',
    says: 'a',
  },
  {
    name: 'closed in error, before a long wait',
    answers: [stream(LONG)],
    code: 'source.onerror = () => { say(source.readyState); source.close() }',
    says: '0',
  },
  {
    name: 'closed during a long wait',
    answers: [stream(LONG)],
    code: 'source.onerror = () => setTimeout(() => source.close(), 50)',
    says: '',
  },
  {
    name: 'failed by its status',
    answers: [status(204)],
    code: 'source.onerror = () => say(source.readyState)',
    says: '2',
  },
  {
    name: 'failed, and its body goes on',
    answers: [[head(404), 'x', HANG]],
    code: 'source.onerror = () => say(source.readyState)',
    says: '2',
  },
  {
    name: 'failed on a reconnection',
    answers: [soon('data: a\n\n'), status(204)],
    code: 'source.onerror = () => say(source.readyState)',
    says: '0 2',
  },
  {
    name: 'not before: while it waits it keeps the process alive',
    answers: [stream('retry: 300\n\n'), [RESET], stream('data: a\n\n', HANG)],
    code: 'source.onmessage = ({ data }) => { say(data); source.close() }',
    says: 'a',
  },
  {
    name: 'not before: a quiet stream keeps the process alive',
    answers: [stream({ gap: 700 }, 'data: a\n\n', HANG)],
    code: 'source.onmessage = ({ data }) => { say(data); source.close() }',
    says: 'a',
  },
]

export async function processesEnd(t: TestContext, runtime: Runtime): Promise<void> {
  const bundled = await writeBundle(t)
  const server = await startRawServer({
    answers: programs.map(({ answers }) => answers),
    origins: 1,
    files: {},
    next: () => -1,
    report: () => {},
  })
  t.after(() => server.close())
  const run = async ({ code, says }: Program, index: number): Promise<void> => {
    const path = join(bundled, '..', `end-${index}.mjs`)
    await writeFile(
      path,
      `import './cases.mjs'
       const say = (text) => console.log('said', text)
       const source = new conformanceEventSource('${server.origins[0]}/c/${index}/stream')
       ${code}`,
    )
    const { output, status } = await runScript(runtime, path, SOON)
    const said = Array.from(output.matchAll(/^said (.*)$/gm), ([, text]) => text).join(' ')
    assert.deepEqual([said, status], [says, 0], output)
  }
  const outcomes = programs.map((program, index) => run(program, index))
  for (const outcome of outcomes) outcome.catch(() => {})
  for (const [index, { name }] of programs.entries()) {
    await t.test(`a process ends when its source is closed: ${name}`, () => outcomes[index])
  }
}
