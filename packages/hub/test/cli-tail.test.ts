import assert from 'node:assert/strict'
import test from 'node:test'
import { result, run } from './cli/command.ts'
import { startHub, startHubBehind } from './cli/hub.ts'

const TRANSPORTS = ['sse', 'long-poll', 'poll'] as const

for (const transport of TRANSPORTS) {
  test(`${transport}: prints what comes, as it comes, and ends with the channel`, async (t) => {
    const { hub, url } = await startHub(t)
    await hub.publish('a', 'before')
    const command = run(t, ['tail', 'a', '--last', '1', '--transport', transport, '--hub', url])
    await command.until(() => command.stdout === 'before\n')
    await hub.publish('a', 'two\nlines')
    await command.until(() => command.stdout === 'before\ntwo\nlines\n')
    await hub.publish('a', { type: 'paid', data: '' }, { end: true })
    assert.equal(await command.ended, 0)
    assert.equal(command.stdout, 'before\ntwo\nlines\n\n')
    assert.equal(command.stderr, '')
  })

  test(`P1.2.2: ${transport}: --json is the event whole, the same by each transport`, async (t) => {
    const { hub, url } = await startHub(t)
    await hub.publish('a', 'un\ndeux é 😀')
    await hub.publish('b.c', { type: 'paid', data: { total: 1250 } })
    await hub.end('a')
    const { events } = await hub.read(['a', 'b.*'], { after: 'start' })
    const command = run(t, [
      'tail',
      'a',
      'b.*',
      '--after',
      'start',
      '--json',
      '--transport',
      transport,
      '--hub',
      url,
    ])
    await command.until(() => command.lines.length === 2)
    assert.deepEqual(
      command.lines.map((line) => JSON.parse(line) as unknown),
      events,
    )
  })

  test(`${transport}: goes on after a cursor`, async (t) => {
    const { hub, url } = await startHub(t)
    const { ids } = await hub.publish('a', ['one', 'two', 'three'])
    await hub.end('a')
    const args = ['tail', 'a', '--after', ids[0] ?? '', '--transport', transport, '--hub', url]
    assert.deepEqual(await result(t, args), { code: 0, stdout: 'two\nthree\n', stderr: '' })
  })

  test(`${transport}: an ended channel that has nothing more to tell ends it at once`, async (t) => {
    const { hub, url } = await startHub(t)
    await hub.publish('a', 'x', { end: true })
    const args = ['tail', 'a', '--transport', transport, '--hub', url]
    assert.deepEqual(await result(t, args), { code: 0, stdout: '', stderr: '' })
  })

  test(`P8.2.1: ${transport}: history that is gone is one line on stderr`, async (t) => {
    const { hub, url } = await startHub(t, { retention: [{ channels: '**', count: 2 }] })
    await hub.publish('a', ['one', 'two', 'three'], { end: true })
    const args = ['tail', 'a', '--after', 'start', '--transport', transport, '--hub', url]
    assert.deepEqual(await result(t, args), {
      code: 0,
      stdout: 'two\nthree\n',
      stderr: 'downlink: Gap (trimmed): events of a were removed by retention before they were read\n',
    })
  })

  test(`P8.2.2: ${transport}: a channel that is erased meanwhile is one line on stderr, and it goes on`, async (t) => {
    const { hub, url } = await startHub(t)
    await hub.publish('a', 'one')
    const command = run(t, ['tail', 'a', '--last', '1', '--transport', transport, '--hub', url])
    await command.until(() => command.stdout === 'one\n')
    await hub.drop('a')
    await command.until(() => command.stderr !== '')
    assert.equal(command.stderr, 'downlink: Gap (deleted): a was erased, with what was not read of it\n')
    await hub.publish('a', 'anew', { end: true })
    assert.equal(await command.ended, 0)
    assert.equal(command.stdout, 'one\nanew\n')
    assert.equal(command.stderr.split('\n').length, 2)
  })

  test(`P14: ${transport}: temporary refusals are tried again, and told once`, async (t) => {
    let refusals = 3
    const { hub, url } = await startHubBehind(t, (_, res) => {
      if (refusals-- <= 0) return false
      res.writeHead(503, { 'retry-after': '0', 'content-type': 'application/problem+json' })
      res.end(JSON.stringify({ code: 'overload', detail: 'Too many readers' }))
      return true
    })
    await hub.publish('a', 'x', { end: true })
    const args = ['tail', 'a', '--after', 'start', '--transport', transport, '--hub', url]
    assert.deepEqual(await result(t, args), {
      code: 0,
      stdout: 'x\n',
      stderr:
        'downlink: Too many readers (503 overload): trying again until it works\ndownlink: The hub is there again\n',
    })
  })

  test(`P14.2.3: ${transport}: a lasting refusal is one line with the hub's own words`, async (t) => {
    const { url } = await startHub(t, {}, { authorize: () => false })
    const { code, stdout, stderr } = await result(t, ['tail', 'a', '--transport', transport, '--hub', url])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^downlink: To read this, say who you are[^\n]* \(401 unauthorized\)\n$/)
  })

  test(`${transport}: what is no hub is told apart from one`, async (t) => {
    const { url } = await startHubBehind(t, (_, res) => {
      res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')
      return true
    })
    const { code, stderr } = await result(t, ['tail', 'a', '--transport', transport, '--hub', url])
    assert.deepEqual([code, stderr], [1, `downlink: What answers at ${url} is no hub: it sent text/html\n`])
  })
}

for (const transport of TRANSPORTS) {
  test(`${transport}: the events of several channels carry their names on every line, and each end is told once`, async (t) => {
    const { hub, url } = await startHub(t)
    await hub.publish('long.name', 'one\ntwo')
    await hub.publish('b', 'three', { end: true })
    const args = ['tail', 'b,long.name', '--after', 'start', '--transport', transport, '--hub', url]
    const command = run(t, args)
    await command.until(() => command.lines.length === 3)
    for (const data of ['four', 'five']) {
      const count = command.lines.length
      await hub.publish('long.name', data)
      await command.until(() => command.lines.length > count)
    }
    await hub.end('long.name')
    assert.equal(await command.ended, 0)
    const [names, ends] = [command.lines, command.stderr]
    assert.deepEqual(names.slice(0, 3), ['long.name | one', 'long.name | two', 'b         | three'])
    assert.deepEqual(names.slice(3), ['long.name | four', 'long.name | five'])
    assert.equal(ends, 'downlink: b has ended\ndownlink: long.name has ended\n')
  })
}

test('headers go with each request', async (t) => {
  const { hub, url } = await startHub(
    t,
    {},
    { authorize: (request) => request.header('authorization') === 'Bearer yes' },
  )
  await hub.publish('a', 'x', { end: true })
  const args = ['tail', 'a', '--after', 'start', '-H', 'Authorization: Bearer yes', '--hub', url]
  assert.deepEqual(await result(t, args), { code: 0, stdout: 'x\n', stderr: '' })
})

test('a reader of its output that leaves ends it quietly', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('a', 'one')
  const command = run(t, ['tail', 'a', '--last', '1', '--hub', url])
  await command.until(() => command.stdout === 'one\n')
  command.child.stdout.destroy()
  await hub.publish('a', 'two')
  assert.equal(await command.ended, 0)
  assert.equal(command.stderr, '')
})

test('a slow reader of its output gets everything', async (t) => {
  const { hub, url } = await startHub(t)
  const command = run(t, ['tail', 'a', '--after', 'start', '--hub', url], { reading: false })
  const lines = Array.from({ length: 4_000 }, (_, index) => `${index} ${'x'.repeat(1_000)}`)
  for (let from = 0; from < lines.length; from += 500) await hub.publish('a', lines.slice(from, from + 500))
  await hub.end('a')
  command.read()
  assert.equal(await command.ended, 0)
  assert.deepEqual(command.lines, lines)
})
