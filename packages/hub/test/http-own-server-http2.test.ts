import { testWireContract } from './wire-contract.ts'
import { http2TlsServer } from './wire-contract/faces.ts'

testWireContract(http2TlsServer)
