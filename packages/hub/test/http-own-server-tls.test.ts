import { BY_CARRIER, testWireContract } from './wire-contract.ts'
import { secureServer } from './wire-contract/faces.ts'

// `http-own-server.test.ts` has the rest: beneath TLS it is the same server.
testWireContract(secureServer, BY_CARRIER)
