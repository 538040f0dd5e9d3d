import { testWireContract } from './wire-contract.ts'
import { h2cServer } from './wire-contract/faces.ts'

testWireContract(h2cServer)
