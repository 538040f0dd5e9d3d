import { testWireContract } from './wire-contract.ts'
import { nodeServer } from './wire-contract/faces.ts'

testWireContract(nodeServer)
