import assert from 'node:assert/strict'
import test from 'node:test'
import { InvalidArgumentError } from 'commander'
import {
  afterValue,
  channelsValue,
  channelValue,
  envNameValue,
  headersValue,
  hostValue,
  hubValue,
  isLoopback,
  lastValue,
  logValue,
  originsValue,
  partsValue,
  portValue,
  typeValue,
} from '../src/cli/values.ts'

function refuses(value: (text: string) => unknown, texts: readonly string[], line: RegExp): void {
  for (const text of texts) {
    assert.throws(
      () => value(text),
      (error) => error instanceof InvalidArgumentError && line.test(error.message),
      JSON.stringify(text),
    )
  }
}

test('a port is a whole number from 0 to 65535', () => {
  assert.equal(portValue('0'), 0)
  assert.equal(portValue('65535'), 65_535)
  refuses(portValue, ['', '-1', '65536', '80.5', '0x50', '1e3', ' 80', 'http'], /from 0 to 65535/)
})

test('last is a whole number from 0 to 1000', () => {
  assert.equal(lastValue('1000'), 1_000)
  refuses(lastValue, ['1001', '-1', 'all', ''], /from 0 to 1000/)
})

test('a host is a name or an address; some are loopback', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.9.1', '::1', 'hub.localhost']) {
    assert.equal(hostValue(host), host)
    assert.ok(isLoopback(host), host)
  }
  for (const host of ['0.0.0.0', '::', '192.168.1.7', 'example.org', '128.0.0.1', 'fe80::1']) {
    assert.equal(hostValue(host), host)
    assert.ok(!isLoopback(host), host)
  }
  assert.equal(hostValue('[::1]'), '::1')
  refuses(
    hostValue,
    ['', 'a b', 'http://localhost', 'a/b', '-a', '[a]', 'a:80', '[::1]:80'],
    /a name or an address/,
  )
})

test('the name of a variable is not what it holds', () => {
  assert.equal(envNameValue('MY_TOKEN'), 'MY_TOKEN')
  refuses(
    envNameValue,
    ['', '1A', 'A B', 'eyJhbGciOiJIUzI1NiJ9.e30.x', 'a-b', 'A=B'],
    /the name of a variable/,
  )
})

test('a log is memory, or the path of a file of SQLite', () => {
  assert.deepEqual(logValue('memory'), { engine: 'memory' })
  assert.deepEqual(logValue('sqlite:./data/a:b.db'), { engine: 'sqlite', path: './data/a:b.db' })
  refuses(
    logValue,
    ['', 'Memory', 'sqlite', 'sqlite:', 'sqlite:data/', 'sqlite:a\0b', 'redis://x'],
    /Expected memory/,
  )
})

test('an origin is written as browsers write it', () => {
  assert.deepEqual(originsValue('https://b.example', ['http://a.example:8080']), [
    'http://a.example:8080',
    'https://b.example',
  ])
  refuses(
    originsValue,
    ['https://a.example/', 'a.example', 'https://a.example:443', 'file:///x', '*', 'null'],
    /origin/,
  )
})

test('channels are a name or a pattern each', () => {
  assert.deepEqual(partsValue('ticks.**', ['news']), ['news', 'ticks.**'])
  refuses(partsValue, ['', 'a..b', 'a,b', '**.a', 'a*'], /channel|pattern/i)
})

test("a hub's URL loses its last slash, and keeps the path below which it is mounted", () => {
  assert.equal(hubValue('http://localhost:4080'), 'http://localhost:4080')
  assert.equal(hubValue('https://example.org/updates/'), 'https://example.org/updates')
  assert.equal(hubValue('http://[::1]:4080/'), 'http://[::1]:4080')
  refuses(
    hubValue,
    ['localhost:4080', '4080', '', 'ftp://x', 'http://x/?a', 'http://x/#a', 'http://u:p@x/'],
    /URL/,
  )
})

test('a header has a name and a value, and several add up', () => {
  assert.deepEqual(headersValue('Authorization: Bearer a:b', headersValue('X-A:1')), [
    ['X-A', '1'],
    ['Authorization', 'Bearer a:b'],
  ])
  refuses(headersValue, ['', 'X-A', ': x', 'a b: c', 'x: a\nb'], /Name: value/)
  refuses(
    headersValue,
    ['Connection: close', 'transfer-encoding: chunked', 'Content-Length: 3'],
    /connection/,
  )
})

test('after is a cursor, start or now', () => {
  for (const text of ['start', 'now', 'kV3q9Zt2-17']) assert.equal(afterValue(text), text)
  refuses(afterValue, ['', 'yesterday', 'a-01', '17'], /cursor/)
})

test('publishing takes names, one or several with commas', () => {
  assert.equal(channelValue('orders.42'), 'orders.42')
  assert.equal(channelValue('a,b'), 'a,b')
  refuses(channelValue, ['', 'a..b', 'a,', 'a b', 'orders.*', 'a/b'], /channel name/)
})

test('tailing takes names and patterns, and each only once', () => {
  assert.deepEqual(channelsValue('orders.**', channelsValue('a,b')), ['a', 'b', 'orders.**'])
  assert.deepEqual(channelsValue('b', ['a', 'b']), ['a', 'b'])
  refuses((text) => channelsValue(text), ['', 'a..b', '**.a', 'a*'], /pattern/)
})

test('a type has 1 to 255 bytes on one line, and none of the hub’s own names', () => {
  assert.equal(typeValue('paid'), 'paid')
  assert.equal(typeValue('é'.repeat(127)), 'é'.repeat(127))
  refuses(typeValue, ['', 'a\nb', 'a\rb', 'a\0b', 'é'.repeat(128)], /255 bytes/)
  refuses(typeValue, ['downlink:gap'], /own/)
})
