/** Run by Node, Bun and Deno: prints each line of a stream as it comes by their `fetch`, which asks for the codings that it knows. */
import process from 'node:process'

const url = process.argv[2] ?? ''
const response = await fetch(url, { headers: { accept: 'text/event-stream' } })
const decoder = new TextDecoder()
let line = ''
for await (const chunk of response.body ?? []) {
  const lines = (line + decoder.decode(chunk, { stream: true })).split('\n')
  line = lines.pop() ?? ''
  for (const whole of lines) process.stdout.write(`${whole}\n`)
}
process.stdout.write('end of stream\n')
