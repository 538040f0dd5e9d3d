/** `createAuthorizer` behind the fetch face, in whatever runtime this is: prints what each token gets. */
import process from 'node:process'
import { createAuthorizer } from '../../src/auth.ts'
import { fetchHandler } from '../../src/fetch.ts'
import { createHub } from '../../src/hub.ts'
import { forge, hs256, pairOf, SECRET, soon, token } from '../auth/tokens.ts'

const pairs = [pairOf('RS256'), pairOf('ES256'), pairOf('EdDSA')]
const keys = { keys: pairs.map((pair) => pair.jwk()) }
const authorize = await createAuthorizer({
  rules: [{ channels: 'user.{sub}', allow: ['read'] }],
  jwt: { secret: SECRET, keys },
})
const hub = createHub()
const handle = fetchHandler(hub, { authorize })

async function status(given?: string): Promise<number> {
  const headers: Record<string, string> = given === undefined ? {} : { authorization: `Bearer ${given}` }
  return (await handle(new Request('http://hub.example/channels/user.alice', { headers }))).status
}

const told = {
  nobody: await status(),
  HS256: await status(token()),
  anotherSecret: await status(token({}, `${SECRET}!`)),
  another: await status(token({ sub: 'bob' })),
  expired: await status(token({ exp: 1 })),
  none: await status(forge({ alg: 'none' }, soon(), () => Buffer.alloc(0))),
  confused: await status(forge({ alg: 'HS256' }, soon(), hs256(pairs[0]?.pem() ?? ''))),
  ...Object.fromEntries(
    await Promise.all(
      pairs.map(async ({ alg, sign }) => [alg, await status(forge({ alg }, soon(), sign))] as const),
    ),
  ),
}
await hub.close()
process.stdout.write(`${JSON.stringify(told)}\n`)
