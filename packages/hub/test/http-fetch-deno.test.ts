import { tools } from '../../../scripts/tools.mjs'
import { testWireContract } from './wire-contract.ts'
import { childFace } from './wire-contract/child-face.ts'

testWireContract(
  childFace(
    'fetchHandler in Deno',
    tools.deno,
    ['run', '-A', '--no-check', '--conditions=@downlink/source'],
    'deno-server.ts',
  ),
)
