/** One certificate for all proxies of a test file, in files, as they want it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { selfSigned } from './self-signed.ts'

export interface Certificate {
  /** PEM. */
  readonly cert: string
  readonly certFile: string
  readonly keyFile: string
  /** Both in one, as HAProxy has it. */
  readonly bothFile: string
}

let made: Certificate | undefined

/** For `localhost`. Its files are gone when the process is. */
export function certificate(): Certificate {
  return (made ??= make())
}

function make(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'downlink-certificate-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const { cert, key } = selfSigned()
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  return {
    cert,
    certFile: file('cert.pem', cert),
    keyFile: file('key.pem', key),
    bothFile: file('both.pem', cert + key),
  }
}
