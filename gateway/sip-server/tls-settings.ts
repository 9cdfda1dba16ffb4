import type { SecureVersion } from 'node:tls'

/** Whether clients must show who they are. One that shows a certificate must show a good one in any case. */
export type ClientCertificateMode = 'none' | 'request' | 'require'

/** How a server that this one connects to has to prove who it is: by its name, by its authority alone, or not at all. */
export type ServerCertificateMode = 'name' | 'authority' | 'any'

/** TLS of one address that the server listens on; the same certificate is shown where it connects from there. */
export interface TlsSettings {
  /** PEM file: the certificate, then its issuers. */
  readonly certPath: string
  /** PEM file: the private key. */
  readonly keyPath: string
  /** PEM file: authorities whose certificates peers may show; those of Node.js where absent. */
  readonly caPath: string | undefined
  readonly clientCertificate: ClientCertificateMode
  /** Names of which a client's certificate must have one; any where empty. */
  readonly clientNames: readonly string[]
  readonly serverCertificate: ServerCertificateMode
  readonly minVersion: SecureVersion
}
