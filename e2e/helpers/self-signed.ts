/** A certificate for this machine's own names, made anew by whoever needs one: no key is ever in the repository. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface SelfSigned {
  /** PEM. */
  readonly cert: string
  readonly key: string
}

/** X.509 (RFC 5280) of P-256, for `localhost`, 127.0.0.1 and ::1; it holds for a day. */
export function selfSigned(name = 'localhost'): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = sequence(set(sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))))
  const hour = 3_600_000
  const unsigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    subject,
    sequence(time(Date.now() - hour), time(Date.now() + 24 * hour)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(SUBJECT_ALT_NAME, der(0x04, NAMES)))),
  )
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', unsigned, privateKey)])
  const cert = sequence(unsigned, ECDSA_WITH_SHA256, der(0x03, signature)).toString('base64')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${cert.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

/** Tag, length, value (X.690). */
function der(tag: number, value: Buffer): Buffer {
  const { length } = value
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), value])
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...bytes), value])
}

function sequence(...values: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(values))
}

function set(value: Buffer): Buffer {
  return der(0x31, value)
}

/** GeneralizedTime, to the second. */
function time(ms: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]|\..*/g, '')}Z`))
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const COMMON_NAME = oid('550403')
const SUBJECT_ALT_NAME = oid('551d11')
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))
const NAMES = sequence(
  der(0x82, Buffer.from('localhost')),
  der(0x87, Buffer.of(127, 0, 0, 1)),
  der(0x87, Buffer.from('00000000000000000000000000000001', 'hex')),
)
