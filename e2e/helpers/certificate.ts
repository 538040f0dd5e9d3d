/** A certificate for `localhost` that nobody else trusts, made anew by each run: no key is ever committed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tools } from '../../scripts/tools.mjs'

export interface Certificate {
  /** PEM. */
  readonly cert: string
  /** PEM. */
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
  /** Both in one, as HAProxy has it. */
  readonly bothFile: string
}

let made: Certificate | undefined

export function certificate(): Certificate {
  return (made ??= make())
}

function make(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'downlink-certificate-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const [certFile, keyFile, bothFile] = ['cert.pem', 'key.pem', 'both.pem'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', keyFile]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync(tools.openssl, ['req', '-x509', '-days', '2', ...key, ...names, '-out', certFile], {
    stdio: 'ignore',
  })
  const [certText, keyText] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')]
  writeFileSync(bothFile, certText + keyText, { mode: 0o600 })
  return { cert: certText, key: keyText, certFile, keyFile, bothFile }
}
