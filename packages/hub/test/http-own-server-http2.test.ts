import { BY_CARRIER, testWireContract } from './wire-contract.ts'
import { http2TlsServer } from './wire-contract/faces.ts'

// `http-own-server-h2c.test.ts` has the rest: beneath TLS they are the same sessions.
testWireContract(http2TlsServer, BY_CARRIER)
