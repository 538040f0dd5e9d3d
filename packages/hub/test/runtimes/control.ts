/** Lets the contract suite command a hub in another process: a JSON command a line in, a JSON answer a line out, in order. */
import process from 'node:process'
import { createInterface } from 'node:readline'
import { type Command, type Setup, TestHub } from '../wire-contract/test-hub.ts'

export function testHub(): TestHub {
  return new TestHub(JSON.parse(process.env['TEST_HUB_SETUP'] ?? '{}') as Setup)
}

export function serveCommands(hub: TestHub, port: number): void {
  say(port)
  let before = Promise.resolve()
  createInterface({ input: process.stdin }).on('line', (line) => {
    const answer = hub.command(JSON.parse(line) as Command)
    before = before.then(async () => say(await answer))
  })
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify({ value })}\n`)
}
