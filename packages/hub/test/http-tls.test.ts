/** TLS on the hub's own server: who gets which protocol, and certificates that change. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { type SelfSigned, selfSigned } from '../../../e2e/helpers/self-signed.ts'
import { lenderOf } from '../src/http/lend.ts'
import { type HubServer, type HubServerOptions, serveHub } from '../src/http/server.ts'
import { createHub } from '../src/hub.ts'
import { folderOf } from './cli/folder.ts'
import { ask, openStream } from './wire-contract/client.ts'
import { RawConnection } from './wire-contract/raw.ts'

interface Served {
  readonly own: HubServer
  readonly url: string
  readonly reports: string[]
}

async function served(t: TestContext, options: HubServerOptions): Promise<Served> {
  const reports: string[] = []
  const hub = createHub({ onError: (error) => reports.push((error as Error).message) })
  const own = await serveHub(hub, { host: '127.0.0.1', graceMs: 100, ...options })
  t.after(async () => {
    await own.stop()
    await hub.close()
  })
  return { own, url: own.url, reports }
}

/** A handshake; rejects when there is none. */
async function handshake(t: TestContext, url: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port: Number(new URL(url).port), rejectUnauthorized: false, ...options })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

const serialOf = ({ cert }: SelfSigned): string => new X509Certificate(cert).serialNumber

async function servedSerial(t: TestContext, url: string): Promise<string> {
  const socket = await handshake(t, url)
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

async function untilServed(t: TestContext, url: string, pair: SelfSigned): Promise<void> {
  const patience = Date.now() + 20_000
  while ((await servedSerial(t, url)) !== serialOf(pair)) {
    assert.ok(Date.now() < patience, 'the new certificate is served')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function untilReported({ reports }: Served, count: number): Promise<void> {
  const patience = Date.now() + 20_000
  while (reports.length < count) {
    assert.ok(Date.now() < patience, `${count} reports, not only ${reports.join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('who speaks what', () => {
  test('P18.5.1 ALPN decides, and who says nothing speaks HTTP/1.1', async (t) => {
    const { url } = await served(t, { tls: selfSigned() })
    for (const [offered, chosen] of [
      [['h2', 'http/1.1'], 'h2'],
      [['http/1.1', 'h2'], 'h2'],
      [['http/1.1'], 'http/1.1'],
      [undefined, false],
    ] as const) {
      const options = offered ? { ALPNProtocols: [...offered] } : {}
      const socket = await handshake(t, url, options)
      assert.equal(socket.alpnProtocol, chosen)
      if (chosen === 'h2') continue
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
      assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /)
    }
    await assert.rejects(
      handshake(t, url, { ALPNProtocols: ['spdy/3'] }),
      /no application protocol|ECONNRESET/i,
    )
  })

  test('P18.5.1 nothing older than TLS 1.2 is spoken', async (t) => {
    const { url } = await served(t, { tls: selfSigned() })
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
    await assert.rejects(handshake(t, url, old))
    const socket = await handshake(t, url, { maxVersion: 'TLSv1.2' })
    assert.equal(socket.getProtocol(), 'TLSv1.2')
  })

  test('streams and long polls of HTTP/1.1 are lent through TLS as without', async (t) => {
    const { own, url } = await served(t, { tls: selfSigned() })
    using stream = await openStream(`${url}/channels/x`)
    await stream.next()
    const lender = lenderOf(own.server)
    assert.equal(lender?.lent, 1)
    assert.deepEqual([...lender.kept], [])
    using connection = new RawConnection(url)
    for (let n = 2; n < 5; n++) {
      connection.send(`GET /channels/x?wait=60&after=start HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      if (n === 2) await ask(`${url}/channels/x`, { method: 'POST', body: 'x' })
      assert.equal((await connection.answer()).status, 200)
      assert.equal(lender.lent, n)
    }
  })

  test('what is no TLS is cut, and harms nobody', async (t) => {
    const { url, reports } = await served(t, { tls: selfSigned(), headTimeoutMs: 500 })
    for (const text of [
      'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
      '\0\0\0\0',
      '\x16\x03\x01\xff\xff\xff',
    ]) {
      const socket = connectPlain(Number(new URL(url).port), '127.0.0.1')
      t.after(() => socket.destroy())
      socket.on('error', () => {}).on('data', () => {})
      socket.end(text)
      await once(socket, 'close')
    }
    assert.equal((await ask(`${url}/healthz`)).status, 200)
    assert.deepEqual(reports, [])
  })

  test('P19.1.1 a handshake that does not come is cut in the time for a head', async (t) => {
    const { url } = await served(t, { tls: selfSigned(), headTimeoutMs: 100 })
    const socket = connectPlain(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {}).resume()
    await once(socket, 'close')
  })

  test('a stop waits for no handshake longer than its grace', async (t) => {
    const { own, url } = await served(t, { tls: selfSigned(), graceMs: 100 })
    const socket = connectPlain(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    await ask(`${url}/healthz`)
    const closed = once(socket, 'close')
    const begun = performance.now()
    await own.stop()
    await closed
    assert.ok(performance.now() - begun < 5_000)
  })
})

describe('certificates', () => {
  test('what is wrong with the first pair is told, and nothing listens', async (t) => {
    const [one, other] = [selfSigned(), selfSigned()]
    const missing = join(folderOf(t), 'none.pem')
    const empty = join(folderOf(t), 'empty.pem')
    writeFileSync(empty, '')
    for (const [tls, message] of [
      [
        { cert: one.cert, key: other.key },
        /Expected a certificate in `tls\.cert` and its own key in `tls\.key`/,
      ],
      [{ cert: missing, key: one.key }, /The file of `tls\.cert`, .*none\.pem, can't be read \(ENOENT\)/],
      [{ cert: one.cert, key: empty }, /there is no PEM in it/],
      [{ cert: one.cert.slice(0, 200), key: one.key }, /Expected a certificate in/],
    ] as const)
      await assert.rejects(served(t, { tls }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'invalid-option')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /PRIVATE/)
        return true
      })
    await assert.rejects(served(t, { tls: one, h2c: true }), { code: 'invalid-option' })
  })

  /** Files of a pair, and how they are looked at. */
  function filesOf(t: TestContext): { folder: string; tls: { cert: string; key: string; lookMs: number } } {
    const folder = folderOf(t)
    return { folder, tls: { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), lookMs: 20 } }
  }

  function replace(path: string, text: string): void {
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }

  test('P18.5.2 files that are replaced are taken up, and connections from before go on', async (t) => {
    const { tls } = filesOf(t)
    const [old, young] = [selfSigned(), selfSigned()]
    writeFileSync(tls.cert, old.cert)
    writeFileSync(tls.key, old.key)
    const hub = await served(t, { tls })
    using stream = await openStream(`${hub.url}/channels/x`)
    await stream.next()
    await untilServed(t, hub.url, old)
    replace(tls.key, young.key)
    replace(tls.cert, young.cert)
    await untilServed(t, hub.url, young)
    assert.equal((await ask(`${hub.url}/channels/x`, { method: 'POST', body: 'on' })).status, 200)
    assert.equal((await stream.next())?.data, 'on')
    assert.deepEqual(hub.reports, [])
  })

  test('P18.5.2 links that are swapped are taken up, as certbot does it and as Kubernetes does', async (t) => {
    const { folder, tls } = filesOf(t)
    const pairs = [selfSigned(), selfSigned(), selfSigned()]
    for (const [n, { cert, key }] of pairs.entries()) {
      mkdirSync(join(folder, `v${n}`))
      writeFileSync(join(folder, `v${n}`, 'cert.pem'), cert)
      writeFileSync(join(folder, `v${n}`, 'key.pem'), key)
    }
    const point = (link: string, target: string): void => {
      symlinkSync(target, `${link}.new`)
      renameSync(`${link}.new`, link)
    }
    // cert.pem -> ..data/cert.pem, ..data -> v0
    point(join(folder, '..data'), 'v0')
    point(tls.cert, '..data/cert.pem')
    point(tls.key, '..data/key.pem')
    const { url } = await served(t, { tls })
    await untilServed(t, url, pairs[0] as SelfSigned)
    point(join(folder, '..data'), 'v1')
    await untilServed(t, url, pairs[1] as SelfSigned)
    // cert.pem -> v2/cert.pem
    for (const [link, name] of [
      [tls.cert, 'cert.pem'],
      [tls.key, 'key.pem'],
    ] as const) {
      unlinkSync(link)
      symlinkSync(`v2/${name}`, link)
    }
    await untilServed(t, url, pairs[2] as SelfSigned)
  })

  test('P18.5.2 a pair that is none keeps the old one, and is told once for each that it is', async (t) => {
    const { tls } = filesOf(t)
    const [old, other, young] = [selfSigned(), selfSigned(), selfSigned()]
    writeFileSync(tls.cert, old.cert)
    writeFileSync(tls.key, old.key)
    const hub = await served(t, { tls })
    replace(tls.cert, other.cert)
    await untilReported(hub, 1)
    replace(tls.cert, 'nothing')
    await untilReported(hub, 2)
    unlinkSync(tls.cert)
    await untilReported(hub, 3)
    await untilServed(t, hub.url, old)
    replace(tls.cert, young.cert)
    replace(tls.key, young.key)
    await untilServed(t, hub.url, young)
    const [mismatch, nothing, missing, ...more] = hub.reports
    assert.match(
      String(mismatch),
      /Expected a certificate in .*cert\.pem and its own key in .*key\.pem.*mismatch/,
    )
    assert.match(String(nothing), /there is no PEM in it/)
    assert.match(String(missing), /cert\.pem, can't be read \(ENOENT\)/)
    // The moment between the two swaps may have been a long one.
    assert.ok(more.length <= 1, more.join('\n'))
  })
})
