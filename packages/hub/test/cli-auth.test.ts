/** Rules and tokens as people use them: flags, files, the environment, `downlink token`, and a hub that decides by them. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { main } from '../src/cli/main.ts'
import { inWords } from '../src/cli/token-explain.ts'
import { forge, jwksServer, pairOf, SECRET, soon, token } from './auth/tokens.ts'
import { result, run, serving, type Command } from './cli/command.ts'
import { folderOf } from './cli/folder.ts'

const env = { DOWNLINK_SECRET: SECRET }
const SERVE = ['serve', '--log', 'memory', '--port', '0']

/** A command that fails before it does anything: in this process, as each of its own takes a second. */
async function refused(
  t: TestContext,
  args: readonly string[],
  line: RegExp,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const before = { ...process.env }
  t.after(() => void (process.env = before))
  for (const name of ['DOWNLINK_SECRET', 'DOWNLINK_TOKEN', 'DOWNLINK_URL']) delete process.env[name]
  Object.assign(process.env, variables)
  let stderr = ''
  const { mock } = t.mock.method(process.stderr, 'write', (text: string) => {
    stderr += text
    return true
  })
  try {
    assert.equal(await main(args), 1)
  } finally {
    mock.restore()
  }
  assert.match(stderr, line)
  assert.match(stderr, /^downlink: [^\n]+\n$/)
}

async function make(t: TestContext, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await result(t, ['token', 'make', ...args], '', { env })
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  return stdout.trim()
}

async function status(url: string, given?: string, method = 'GET'): Promise<number> {
  const headers = given === undefined ? {} : { authorization: `Bearer ${given}` }
  const answer = await fetch(url, { method, headers, ...(method === 'POST' && { body: 'x' }) })
  await answer.body?.cancel()
  return answer.status
}

function configured(t: TestContext, config: object): string {
  const path = join(folderOf(t), 'downlink.json')
  writeFileSync(path, JSON.stringify({ log: 'memory', ...config }))
  return path
}

describe('where a hub may listen', () => {
  test('P17.1.1 elsewhere than on loopback not without rules, keys or --open, and the error names the three', async (t) => {
    for (const host of ['0.0.0.0', '::', 'example.org']) {
      for (const way of [
        /To listen on \S+, say who may do what: with `rules` in the file of --config/,
        /DOWNLINK_SECRET.*--jwt-keys.*--jwks-url/,
        /--open/,
      ])
        await refused(t, [...SERVE, '--host', host], way)
    }
    const { code, stdout } = await result(t, [...SERVE, '--host', '0.0.0.0'])
    assert.deepEqual([code, stdout], [1, ''])
  })

  test('with a secret it listens there, and asks for tokens', async (t) => {
    const { command, url } = await serving(t, ['--port', '0', '--host', '0.0.0.0'], { env })
    const here = url.replace('0.0.0.0', '127.0.0.1')
    assert.equal(await status(`${here}/channels/a`), 401)
    assert.equal(await status(`${here}/channels/a`, token({ downlink: { read: ['a'] } })), 200)
    assert.ok(!`${command.stdout}${command.stderr}`.includes(SECRET))
  })

  test('with --open everyone may do everything, and it says so', async (t) => {
    const { command, url } = await serving(t, ['--port', '0', '--host', '0.0.0.0', '--open'])
    const here = url.replace('0.0.0.0', '127.0.0.1')
    const codes = [
      status(`${here}/channels/a`, undefined, 'POST'),
      status(`${here}/metrics`),
      status(`${here}/`),
    ]
    assert.deepEqual(await Promise.all(codes), [200, 200, 200])
    const answer = await fetch(`${here}/channels/a`, { headers: { 'x-forwarded-for': '203.0.113.9' } })
    assert.equal(answer.status, 200)
    assert.match(
      command.stdout,
      /^Open: whoever reaches this hub may read, publish, end and erase everything\.$/m,
    )
    await command.until(
      () => command.stderr.includes('"level":"warn",') && command.stderr.includes('"what":"Open: '),
    )
  })

  test('on loopback it needs none of them, and then answers to this machine only', async (t) => {
    const { command, url } = await serving(t, ['--port', '0'])
    const proxied = await fetch(`${url}/channels/a`, { headers: { 'x-forwarded-for': '203.0.113.9' } })
    assert.equal(proxied.status, 403)
    assert.doesNotMatch(command.stdout, /Open:|token/)
  })
})

describe('what can’t be meant is one clear line', () => {
  const pair = pairOf('ES256')
  for (const [what, args, config, line] of [
    [
      '--open beside a secret',
      ['--open'],
      { env: true },
      /--open lets everyone do everything, and there are keys for tokens too/,
    ],
    ['--open beside rules', ['--open'], { rules: [] }, /and there are rules too/],
    [
      'rules for who is known, without keys',
      [],
      {
        rules: [
          { channels: 'a', allow: ['read'], to: 'anyone' },
          { channels: 'b', allow: ['read'] },
        ],
      },
      /rules\[1\] is for callers with a token, and there is nothing to verify one with: set DOWNLINK_SECRET/,
    ],
    [
      'a variable that is not there',
      ['--secret-env', 'NO_SUCH_SECRET'],
      {},
      /There is no NO_SUCH_SECRET in the environment/,
    ],
    [
      'a token in place of a variable',
      ['--secret-env', 'a.b.c'],
      {},
      /--secret-env a\.b\.c: Expected the name of a variable/,
    ],
    [
      'an audience without keys',
      ['--audience', 'x'],
      {},
      /nothing to verify tokens with: set DOWNLINK_SECRET/,
    ],
    [
      'a JWKS URL alone',
      ['--jwks-url', 'https://id.example/jwks'],
      {},
      /`jwksUrl` needs `audience` or `issuer`/,
    ],
    [
      'a JWKS URL without TLS',
      ['--jwks-url', 'http://id.example/jwks', '--issuer', 'x'],
      {},
      /Expected an https URL/,
    ],
    [
      'a file of keys that is away',
      ['--jwt-keys', 'no-such.pem'],
      {},
      /The keys in no-such\.pem can't be read/,
    ],
    [
      'a cookie without __Host- elsewhere',
      ['--host', '0.0.0.0'],
      { env: true, jwt: { cookie: 'my' } },
      /jwt\.cookie: Expected a name that begins with __Host-/,
    ],
    [
      'a private key',
      ['--jwt-keys', 'private.pem'],
      { file: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) },
      /private\.pem: It is a private key/,
    ],
  ] as readonly (readonly [
    string,
    readonly string[],
    { env?: true; file?: string } & Record<string, unknown>,
    RegExp,
  ])[])
    test(what, async (t) => {
      const { env: secret, file, ...settings } = config
      const key = join(folderOf(t), 'private.pem')
      if (file !== undefined) writeFileSync(key, file)
      const path = configured(t, settings)
      const all = [
        'serve',
        '--port',
        '0',
        '--config',
        path,
        ...args.map((arg) => (arg === 'private.pem' ? key : arg)),
      ]
      await refused(t, all, line, secret ? env : {})
    })

  test('a secret that is too short says how to make one, and not what it is', async (t) => {
    for (const secret of ['hunter2', '']) {
      const line =
        /DOWNLINK_SECRET must have at least 32 bytes, got \d\. Make one with: openssl rand -base64 32(?!.*hunter2)/
      await refused(t, SERVE, line, { DOWNLINK_SECRET: secret })
    }
  })
})

describe('a hub with rules and tokens', () => {
  const rules = [
    { channels: 'news.**', allow: ['read'], to: 'anyone' },
    { channels: 'user.{sub}.**', allow: ['read'] },
    { channels: ['**'], allow: ['publish', 'end', 'drop', 'inspect'], to: ['root'] },
  ]
  const hub = async (t: TestContext): Promise<string> =>
    (await serving(t, ['--port', '0', '--config', configured(t, { rules })], { env })).url

  test('P17.8.2 P17.8.5 P17.8.6 does as they say, to each', async (t) => {
    const url = await hub(t)
    const [alice, root] = [
      await make(t, '--sub', 'alice', '--publish', 'desk.{sub}'),
      await make(t, '--sub', 'root'),
    ]
    const expected: readonly (readonly [
      method: string,
      path: string,
      nobody: number,
      alice: number,
      root: number,
    ])[] = [
      ['GET', '/channels/news.a', 200, 200, 200],
      ['GET', '/channels/news.*,news.a.**', 200, 200, 200],
      ['GET', '/channels/user.alice.inbox', 401, 200, 403],
      ['GET', '/channels/user.alice.**', 401, 200, 403],
      ['GET', '/channels/user.*.inbox', 401, 403, 403],
      ['GET', '/channels/news.a,user.bob.inbox', 401, 403, 403],
      ['GET', '/channels/**', 401, 403, 403],
      ['GET', '/channels/$hub.readers', 401, 403, 200],
      ['POST', '/channels/desk.alice', 401, 200, 200],
      ['POST', '/channels/desk.alice,desk.bob', 401, 403, 200],
      ['POST', '/channels/desk.alice?end', 401, 403, 200],
      ['DELETE', '/channels/desk.alice', 401, 403, 204],
      ['GET', '/metrics', 401, 403, 200],
      ['GET', '/', 200, 200, 200],
      ['GET', '/healthz', 200, 200, 200],
      ['GET', '/readyz', 200, 200, 200],
      ['GET', '/channels', 200, 200, 200],
    ]
    for (const [method, path, ...statuses] of expected) {
      const got = []
      for (const given of [undefined, alice, root]) got.push(await status(url + path, given, method))
      assert.deepEqual(got, statuses, `${method} ${path}`)
    }
  })

  test('lists to each the channels that they may read', async (t) => {
    const url = await hub(t)
    const [alice, root] = [token(), token({ sub: 'root' })]
    for (const channel of ['news.a', 'user.alice.inbox', 'user.bob.inbox'])
      assert.equal(await status(`${url}/channels/${channel}`, root, 'POST'), 200)
    const listed = async (given?: string): Promise<string[]> => {
      const headers = given === undefined ? {} : { authorization: `Bearer ${given}` }
      const { channels } = (await (await fetch(`${url}/channels`, { headers })).json()) as {
        channels: { name: string }[]
      }
      return channels.map(({ name }) => name)
    }
    assert.deepEqual(await listed(), ['news.a'])
    assert.deepEqual(await listed(alice), ['news.a', 'user.alice.inbox'])
  })

  test('logs what is in force, but no secret and no query of a URL', async (t) => {
    const path = configured(t, {
      rules,
      jwt: { audience: 'hub', jwksUrl: 'https://id.example/jwks?key=hunter2' },
    })
    const { command } = await serving(t, ['--port', '0', '--config', path], { env })
    await command.until(() => command.stderr.includes('\n'))
    const { config } = JSON.parse(command.stderr.split('\n')[0] ?? '') as { config: Record<string, unknown> }
    assert.deepEqual(config['rules'], rules)
    assert.deepEqual(config['jwt'], { audience: ['hub'], jwksUrl: 'https://id.example/jwks' })
    assert.ok(!command.stderr.includes('hunter2') && !command.stderr.includes(SECRET))
  })

  test('says what is wrong with a token, in words without it', async (t) => {
    const url = await hub(t)
    const old = token({ exp: 1_700_000_000 })
    const answer = await fetch(`${url}/channels/news.a`, { headers: { authorization: `Bearer ${old}` } })
    assert.equal(answer.status, 401)
    assert.equal(
      answer.headers.get('www-authenticate'),
      'Bearer error="invalid_token", error_description="The token has expired (`exp`): get a new one"',
    )
    const text = await answer.text()
    assert.ok(!text.includes(old))
    assert.match(text, /"code":"invalid-token"/)
    const url2 = `${url}/channels/news.a?access_token=${token()}`
    const inUrl = await fetch(url2)
    assert.equal(inUrl.status, 400)
    assert.match(await inUrl.text(), /takes no token in the URL.*Authorization: Bearer/)
  })

  test('takes the token from the cookie, but not of a page of another site', async (t) => {
    const url = await hub(t)
    const cookie = `a=b; __Host-downlink=${token()}`
    const read = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${url}/channels/user.alice.inbox`, { headers: { cookie, ...headers } })).status
    assert.equal(await read({}), 200)
    assert.equal(await read({ 'sec-fetch-site': 'same-origin' }), 200)
    assert.equal(await read({ origin: url }), 200)
    assert.equal(await read({ 'sec-fetch-site': 'cross-site' }), 403)
    assert.equal(await read({ origin: 'https://evil.example' }), 403)
  })

  test('--token-in-url takes it from the URL too', async (t) => {
    const { url } = await serving(t, ['--port', '0', '--token-in-url'], { env })
    const given = token({ downlink: { read: ['a'] } })
    assert.equal(await status(`${url}/channels/a?access_token=${given}`), 200)
    assert.equal(await status(`${url}/channels/a?access_token=${given.slice(0, -2)}`), 401)
  })

  test('takes the tokens of a JWKS URL, and is `keys-unavailable` while that is away', async (t) => {
    const pair = pairOf('EdDSA')
    const server = await jwksServer(t, (res) => void res.writeHead(500).end())
    const { command, url } = await serving(t, ['--port', '0', '--jwks-url', server.url, '--audience', 'hub'])
    const given = forge(
      { alg: 'EdDSA', kid: 'k' },
      soon({ aud: 'hub', downlink: { read: ['a'] } }),
      pair.sign,
    )
    const answer = await fetch(`${url}/channels/a`, { headers: { authorization: `Bearer ${given}` } })
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.match(await answer.text(), /"code":"keys-unavailable"/)
    await command.until(() => command.stderr.includes("can't be had (The JWKS URL answered 500)"))
    assert.equal(await status(`${url}/channels/a`), 401)
  })

  test('takes the tokens of a file of keys', async (t) => {
    const pair = pairOf('RS256')
    const cwd = folderOf(t)
    writeFileSync(join(cwd, 'keys.pem'), pair.pem())
    writeFileSync(join(cwd, 'private.pem'), pair.privateKey.export({ format: 'pem', type: 'pkcs8' }))
    const { url } = await serving(
      t,
      ['--port', '0', '--log', 'memory', '--jwt-keys', 'keys.pem', '--issuer', 'me'],
      { cwd },
    )
    const made = ['token', 'make', '--key', 'private.pem', '--read', 'a', '--issuer', 'me', '--kid', 'k']
    const { stdout } = await result(t, made, '', { cwd })
    assert.equal(await status(`${url}/channels/a`, stdout.trim()), 200)
    assert.equal(await status(`${url}/channels/a`, token({ iss: 'me', downlink: { read: ['a'] } })), 401)
  })

  test('tells at the start what to type, and it works', async (t) => {
    const { command, url } = await serving(t, ['--port', '0'], { env })
    const line = (name: string): string => new RegExp(`^  ${name} +(.*)`, 'm').exec(command.stdout)?.[1] ?? ''
    const made = /\$\(npx downlink (.*)\)$/.exec(line('token'))?.[1] ?? ''
    const given = await make(t, ...made.replaceAll("'", '').split(' ').slice(2))
    const tailing = run(t, [...line('follow').replace('npx downlink ', '').split(' '), '--after', 'start'], {
      env: { DOWNLINK_TOKEN: given },
    })
    const curl = line('publish')
    assert.match(curl, /^curl -H "Authorization: Bearer \$DOWNLINK_TOKEN" -d 'hello' /)
    assert.equal(await status(`${url}/channels/demo`, given, 'POST'), 200)
    await tailing.until(() => tailing.stdout === 'x\n')
    assert.equal(await status(`${url}/`, given), 200)
  })
})

describe('publish and tail', () => {
  const hub = async (t: TestContext): Promise<string> => (await serving(t, ['--port', '0'], { env })).url
  const both = token({ downlink: { read: ['a'], publish: ['a'] } })

  test('send the token of DOWNLINK_TOKEN, or of the variable that is named', async (t) => {
    const url = await hub(t)
    for (const [variable, flags] of [
      ['DOWNLINK_TOKEN', []],
      ['MY_TOKEN', ['--token-env', 'MY_TOKEN']],
    ] as const) {
      const options = { env: { [variable]: `${both}\n` } }
      const published = await result(t, ['publish', 'a', 'hello', '--hub', url, ...flags], '', options)
      assert.deepEqual(published, { code: 0, stdout: '', stderr: '' })
      const tailing: Command = run(t, ['tail', 'a', '--after', 'start', '--hub', url, ...flags], options)
      await tailing.until(() => tailing.lines.includes('hello'))
    }
  })

  test('say in one line what the hub has against them, and end', async (t) => {
    const url = await hub(t)
    const none = await result(t, ['publish', 'a', 'x', '--hub', url])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /^downlink: To publish a, say who you are: .*\(401 unauthorized\)\n$/)
    const wrong = await result(t, ['tail', 'b', '--hub', url], '', { env: { DOWNLINK_TOKEN: both } })
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /^downlink: Your token does not allow you to read b: .*\(403 forbidden\)\n$/)
  })

  test('take no token as a flag, and no nonsense from the environment', async (t) => {
    for (const [args, variables, line] of [
      [['--token', both], {}, /unknown option '--token'/],
      [['--token-env', both], {}, /Expected the name of a variable/],
      [['--token-env', 'NO_SUCH'], {}, /There is no NO_SUCH in the environment/],
      [[], { DOWNLINK_TOKEN: 'Bearer x' }, /DOWNLINK_TOKEN is no token: expected one word, without `Bearer`/],
      [['--token-env', 'T', '--header', 'authorization: Bearer x'], { T: 'x' }, /send one of them/],
    ] as const) {
      await refused(t, ['publish', 'a', 'x', ...args], line, { ...variables })
    }
  })
})

describe('downlink token make', () => {
  test('says what it was asked to say', async (t) => {
    const made = await make(
      t,
      '--sub',
      'alice',
      '--read',
      'a,user.{sub}.**',
      '--read',
      'b',
      '--end',
      'c',
      '--drop',
      'd',
      '--inspect',
      '--ttl',
      '1.5h',
      '--issuer',
      'me',
      '--audience',
      'x',
      '--audience',
      'y',
      '--kid',
      'k',
    )
    const [head = '', body = ''] = made.split('.')
    assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), {
      alg: 'HS256',
      typ: 'JWT',
      kid: 'k',
    })
    const { iat, exp, ...claims } = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<
      string,
      number
    >
    assert.equal(Number(exp) - Number(iat), 5_400)
    assert.deepEqual(claims, {
      iss: 'me',
      sub: 'alice',
      aud: ['x', 'y'],
      downlink: { read: ['a', 'user.{sub}.**', 'b'], end: ['c'], drop: ['d'], inspect: true },
    })
  })

  test('signs with a private key, PEM or JWK, by the algorithm that the key is for', async (t) => {
    const cwd = folderOf(t)
    for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
      const pair = pairOf(alg)
      writeFileSync(join(cwd, 'key'), pair.privateKey.export({ format: 'pem', type: 'pkcs8' }))
      writeFileSync(
        join(cwd, 'jwk'),
        JSON.stringify({ ...pair.privateKey.export({ format: 'jwk' }), kid: 'mine' }),
      )
      writeFileSync(join(cwd, 'public'), JSON.stringify({ keys: [pair.jwk('mine')] }))
      for (const key of ['key', 'jwk']) {
        const { stdout, stderr } = await result(t, ['token', 'make', '--key', key, '--sub', 'alice'], '', {
          cwd,
        })
        assert.equal(stderr, '')
        const explained = await result(t, ['token', 'explain', '--jwt-keys', 'public'], stdout, { cwd })
        assert.match(explained.stdout, new RegExp(`alg +${alg}\n`))
        assert.match(explained.stdout, /The signature holds\.\nA hub with these keys takes it\.\n$/)
        assert.equal(explained.code, 0)
      }
    }
  })

  for (const [what, args, variables, line] of [
    [
      'nothing to sign with',
      [],
      {},
      /nothing to sign with: give --key, or a secret in the environment: export DOWNLINK_SECRET=\$\(openssl rand -base64 32\)/,
    ],
    ['a secret that is too short', [], { DOWNLINK_SECRET: 'short' }, /at least 32 bytes, got 5/],
    ['a key that is away', ['--key', 'no-such.pem'], {}, /no-such\.pem can't be read: no such file/],
    ['a key that is none', ['--key', 'package.json'], {}, /package\.json is no private key in PEM or JWK/],
    ['no channels', ['--read', 'a..b'], env, /--read a\.\.b: .*empty level/],
    ['no time', ['--ttl', '0s'], env, /--ttl 0s: Expected a time/],
    ['two ways to sign', ['--key', 'x', '--secret-env', 'Y'], env, /sign with one of them/],
  ] as readonly (readonly [string, readonly string[], Record<string, string>, RegExp])[])
    test(`${what} is one clear line`, async (t) => {
      const known = args.map((arg) => (arg === 'package.json' ? join(import.meta.dirname, '..', arg) : arg))
      await refused(t, ['token', 'make', ...known], line, variables)
    })
})

describe('downlink token explain', () => {
  test('says what it says, from the argument or standard input', async (t) => {
    const given = token({
      iat: 1_700_000_000,
      note: 'a\u001b[31mb\nc',
      downlink: { read: ['user.{sub}', 'news.**'] },
    })
    const outputs = []
    for (const [args, input] of [
      [[given], ''],
      [['-'], given],
      [[], `Authorization: Bearer ${given}\n`],
    ] as const) {
      const { code, stdout, stderr } = await result(t, ['token', 'explain', ...args], input, { env })
      assert.deepEqual([code, stderr], [0, ''])
      outputs.push(stdout.replace(/in \d+ minutes and \d+ seconds?/, 'soon'))
    }
    const [output = ''] = outputs
    assert.equal(new Set(outputs).size, 1)
    assert.match(output, /^ {2}alg +HS256$/m)
    assert.match(output, /^ {2}sub +alice$/m)
    assert.match(output, /^ {2}iat +2023-11-14 22:13:20 UTC, \d+ years? and \d+ days? ago$/m)
    assert.match(output, /^ {2}exp +\S+ \S+ UTC, soon$/m)
    assert.match(output, /^ {2}note +a \[31mb c$/m)
    assert.match(output, /^ {2}read +user\.alice, news\.\*\*$/m)
    assert.match(output, /^ {2}publish +nothing$/m)
    assert.match(output, /^ {2}inspect +no$/m)
    assert.match(output, /The signature holds\.\nA hub with these keys takes it\.\n$/)
    assert.ok(!output.includes(SECRET) && !output.includes(given))
  })

  test('knows the rules of a configuration', async (t) => {
    const path = configured(t, { rules: [{ channels: 'desk.{sub}', allow: ['read', 'publish'] }] })
    const { stdout } = await result(t, ['token', 'explain', '--config', path], token(), { env })
    assert.match(stdout, /^ {2}read +desk\.alice$/m)
    assert.match(stdout, /^ {2}publish +desk\.alice$/m)
  })

  test('without keys it says that it did not look at the signature', async (t) => {
    const { code, stdout } = await result(t, ['token', 'explain'], token())
    assert.equal(code, 0)
    assert.match(stdout, /The signature was not looked at: there are no keys\. Set DOWNLINK_SECRET/)
  })

  for (const [what, given, line] of [
    [
      'another secret',
      token({}, `${SECRET}!`),
      /The signature does not hold\.\nA hub with these keys refuses it: The token's signature does not hold/,
    ],
    [
      'the past',
      token({ exp: 1_700_000_000 }),
      /The signature holds\.\nA hub with these keys refuses it: The token has expired/,
    ],
    [
      'an audience',
      token({ aud: 'x' }),
      /The signature holds\.\nA hub with these keys refuses it: The token is for an audience/,
    ],
    [
      'a claim that is wrong',
      token({ downlink: { read: 'a' } }),
      /nothing: Expected `downlink\.read` to be a list[^]*The signature holds\.\nA hub with these keys refuses it: Expected `downlink\.read`/,
    ],
    [
      'no algorithm',
      forge({ alg: 'none' }, soon(), () => Buffer.alloc(0)),
      /\n\nA hub with these keys refuses it: Expected the token's `alg` to be HS256/,
    ],
  ] as const)
    test(`a token of ${what} is refused, exit code 1`, async (t) => {
      const { code, stdout, stderr } = await result(t, ['token', 'explain'], given, { env })
      assert.deepEqual([code, stderr], [1, ''])
      assert.match(stdout, line)
    })

  test('what is no token is one clear line, without it', async (t) => {
    const { code, stdout, stderr } = await result(t, ['token', 'explain', 'hunter2'])
    assert.deepEqual([code, stdout], [1, ''])
    assert.equal(stderr, 'downlink: This is no JWT: expected three parts in base64url, with dots between\n')
  })

  test('times are in words', () => {
    assert.deepEqual(
      [0, 999, 1_000, -59_000, 60_000, -7_199_000, 90_000_000, 86_405_000, 3e12].map(inWords),
      [
        'now',
        'now',
        'in 1 second',
        '59 seconds ago',
        'in 1 minute',
        '1 hour and 59 minutes ago',
        'in 1 day and 1 hour',
        'in 1 day',
        'in 95 years and 47 days',
      ],
    )
  })
})
