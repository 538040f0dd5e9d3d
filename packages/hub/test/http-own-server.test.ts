import { testWireContract } from './wire-contract.ts'
import { ownServer } from './wire-contract/faces.ts'

testWireContract(ownServer)
