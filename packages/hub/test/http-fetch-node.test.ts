import { testWireContract } from './wire-contract.ts'
import { honoServer } from './wire-contract/faces.ts'

testWireContract(honoServer)
