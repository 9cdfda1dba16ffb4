import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { TlsSettings } from '../../gateway/sip-server/tls-settings.ts'

/** Files of one certificate. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** An authority of a test's own in a folder that goes with the test. */
export class TestAuthority {
  readonly folder: string
  readonly cert: string
  readonly #key: string
  #count = 0

  constructor(t: Test, name = 'Example Authority') {
    this.folder = mkdtempSync(join(tmpdir(), 'tallenne-tls-'))
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true }))
    this.cert = join(this.folder, 'ca.crt')
    this.#key = join(this.folder, 'ca.key')
    openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-keyout',
      this.#key,
      '-out',
      this.cert,
      '-subj',
      `/CN=${name}`,
    )
  }

  /** A certificate for those names, as `DNS:sip.example.com` or `IP:127.0.0.1`. */
  issue(names: readonly string[], options: { readonly days?: number } = {}): CertificateFiles {
    this.#count += 1
    const at = (ending: string) => join(this.folder, `${this.#count}.${ending}`)
    const [cert, key, extensions] = [at('crt'), at('key'), at('ext')]
    const host = names.find((name) => name.startsWith('DNS:'))?.slice('DNS:'.length)
    const subject = `/CN=${host ?? 'nobody'}`
    writeFileSync(extensions, names.length === 0 ? '\n' : `subjectAltName=${names.join(',')}\n`)
    openssl('req', ...NEW_KEY, '-keyout', key, '-out', at('csr'), '-subj', subject)
    openssl(
      ...['x509', '-req', '-in', at('csr'), '-CA', this.cert, '-CAkey', this.#key],
      ...[
        '-CAcreateserial',
        '-days',
        `${options.days ?? 30}`,
        '-extfile',
        extensions,
        '-out',
        cert,
      ],
    )
    return { cert, key }
  }

  /** A server's settings with that certificate, which takes any client and trusts this authority. */
  settings({ cert, key }: CertificateFiles): TlsSettings {
    return {
      certPath: cert,
      keyPath: key,
      caPath: this.cert,
      clientCertificate: 'none',
      clientNames: [],
      serverCertificate: 'name',
      minVersion: 'TLSv1.2',
    }
  }
}

/** Puts one certificate in the place of another, as a renewal does: each file at once, one after the other. */
export function replaceFiles(old: CertificateFiles, renewed: CertificateFiles): void {
  for (const part of ['cert', 'key'] as const) {
    copyFileSync(renewed[part], `${old[part]}.new`)
    renameSync(`${old[part]}.new`, old[part])
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
