/** The ways to put the hub on HTTP that live in a process of another runtime. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Face, Running } from './face.ts'
import { fetchLimits } from './faces.ts'
import type { Command, Setup } from './test-hub.ts'

/** `program` is a file of `test/runtimes`; it says its port in the first line, then answers commands line by line. */
export function childFace(
  name: string,
  command: string,
  args: readonly string[],
  program: string,
  cannot: Face['cannot'] = {},
): Face {
  const path = fileURLToPath(new URL(`../runtimes/${program}`, import.meta.url))
  return {
    name,
    start: (setup) => startChild(command, [...args, path], setup),
    cannot: { ...fetchLimits(), ...cannot },
  }
}

async function startChild(command: string, args: readonly string[], setup: Setup = {}): Promise<Running> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TEST_HUB_SETUP: JSON.stringify(setup) },
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<unknown> => {
    const line = await lines.next()
    if (line.done) throw new Error(`${command} has ended: ${child.exitCode}`)
    return (JSON.parse(line.value) as { value?: unknown }).value
  }
  let before: Promise<unknown> = answer()
  const port = Number(await before)
  let stopped = false
  return {
    url: `http://127.0.0.1:${port}`,
    command(what: Command) {
      child.stdin.write(`${JSON.stringify(what)}\n`)
      return (before = before.then(answer))
    },
    async stop() {
      if (!stopped) child.kill('SIGKILL')
      stopped = true
      await exited
    },
  }
}
