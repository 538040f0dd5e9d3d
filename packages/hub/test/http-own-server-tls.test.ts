import { testWireContract } from './wire-contract.ts'
import { secureServer } from './wire-contract/faces.ts'

testWireContract(secureServer)
