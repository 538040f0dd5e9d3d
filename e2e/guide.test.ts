/** The guide says nothing that does not work: what it shows is executed, in Chromium, by a shell, and by the parser. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createParser, type StreamEvent } from '@downlink/wire'
import { useChromium } from './helpers/chromium.ts'
import { commandsOf, pairs, readGuide, settled } from './helpers/guide.ts'
import { startHub } from './helpers/hub.ts'

const guide = readGuide('en')
const chromium = useChromium()

const PAGE = { headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>The guide</title>' }

/** What the examples take for granted, in the page that runs them. */
const STAGE = `
  globalThis.printed = []
  globalThis.print = (...words) => printed.push(words.join(' ').trimEnd())
  globalThis.publish = async (channel, data, type) => {
    const query = type === undefined ? '' : '?type=' + type
    const { ok, status } = await fetch('/channels/' + channel + query, { method: 'POST', body: data })
    if (!ok) throw new Error('publish: ' + status)
  }
  globalThis.run = (code) => Object.getPrototypeOf(async () => {}).constructor(code)()`

for (const { name, blocks } of guide) {
  test(`${name}: its scripts print what they say they print`, async (t) => {
    const { hub, url } = await startHub(t, {}, { page: PAGE })
    for (const { text } of blocks.filter(({ kind }) => kind === 'console')) {
      for (const { command } of commandsOf(text)) await shell(command, url)
    }
    const page = await chromium.open(t, `${url}/`)
    await page.exposeFunction('disconnect', (channel: string) => hub.disconnect({ channel }))
    for (const [script, output] of pairs(blocks, 'js', 'output')) {
      await page.reload()
      await page.evaluate(STAGE)
      const expected = output.text.split('\n')
      const running = page.evaluate(`run(${JSON.stringify(script.text)})`)
      await page
        .waitForFunction(`printed.length >= ${expected.length}`, undefined, { timeout: 10_000 })
        .catch(() => {})
      await running
      assert.deepEqual(await page.evaluate('printed'), expected, `${name}, line ${script.line}`)
    }
  })

  test(`${name}: its commands print what they say they print`, async (t) => {
    const { url } = await startHub(t, {}, { page: PAGE, origins: ['https://app.example'] })
    for (const { text, line } of blocks.filter(({ kind }) => kind === 'console')) {
      for (const { command, output } of commandsOf(text)) {
        const got = settled(await shell(command, url))
        const wanted = settled(output)
        const where = `${name}, line ${line}: ${command}`
        if (wanted.endsWith('…')) assert.ok(got.startsWith(wanted.slice(0, -1)), `${where}\n${got}`)
        else
          for (const one of wanted.split('\n')) assert.ok(got.split('\n').includes(one), `${where}\n${got}`)
      }
    }
  })

  test(`${name}: its streams are what it says they are`, () => {
    for (const [stream, events] of pairs(blocks, 'stream', 'events')) {
      assert.equal(
        eventsOf(`${stream.text}\n`).map(shown).join('\n'),
        events.text.trimEnd(),
        `${name}, line ${stream.line}`,
      )
    }
  })
}

function eventsOf(text: string): readonly StreamEvent[] {
  const events: StreamEvent[] = []
  const parser = createParser({ onEvent: (event) => events.push(event) })
  parser.feed(Buffer.from(text))
  return events
}

function shown({ type, lastEventId, data }: StreamEvent): string {
  const id = lastEventId === '' ? '' : ` (${lastEventId})`
  return `${type}${id}: ${data.replaceAll('\n', '⏎')}`.trimEnd()
}

async function shell(command: string, url: string): Promise<string> {
  const run = promisify(execFile)
  try {
    const { stdout } = await run('bash', ['-c', command.replaceAll('http://localhost:4080', url)])
    return stdout
  } catch (error) {
    // `curl -m` ends a stream that would go on.
    return (error as { stdout: string }).stdout
  }
}

test('both languages have the same chapters with the same examples', () => {
  const inRussian = readGuide('ru')
  assert.deepEqual(
    inRussian.map(({ name }) => name),
    guide.map(({ name }) => name),
  )
  for (const [index, { name, blocks }] of guide.entries()) {
    const texts = (all: typeof blocks): readonly string[] => all.map(({ kind, text }) => `${kind}: ${text}`)
    assert.deepEqual(texts(inRussian[index]?.blocks ?? []), texts(blocks), name)
  }
})
