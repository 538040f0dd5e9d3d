import { tools } from '../../../scripts/tools.mjs'
import { testWireContract } from './wire-contract.ts'
import { childFace } from './wire-contract/child-face.ts'

testWireContract(
  childFace('fetchHandler in Bun', tools.bun, ['--conditions=@downlink/source', 'run'], 'bun-server.ts', {
    'absolute-target': 'Bun makes the URL of a request from Host, and shows nothing of its target',
  }),
)
