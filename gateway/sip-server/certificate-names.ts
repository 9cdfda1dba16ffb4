import { isIP } from 'node:net'
import type { PeerCertificate } from 'node:tls'

/** More names than any certificate in use has, each compared with every wanted one. */
const MAX_NAMES = 256

/**
 * The names that a certificate proves, in small letters: DNS names, domains of SIP URIs, and addresses, or the common
 * name where it has none of these (RFC 5922 §7.1).
 */
export function certificateNames(certificate: PeerCertificate): readonly string[] {
  // Node.js quotes values in which a comma could pass for the end of one; no such name is a host's.
  const unquoted = (certificate.subjectaltname ?? '').replace(/"(?:[^"\\]|\\.)*"/g, '')
  const entries = unquoted.split(', ', MAX_NAMES)
  const names = entries.flatMap((entry) => {
    const colon = entry.indexOf(':')
    return nameOf(entry.slice(0, colon), entry.slice(colon + 1))
  })
  if (names.length > 0) return names
  const commonName: unknown = certificate.subject?.CN
  const values = Array.isArray(commonName) ? commonName : [commonName]
  return values.filter((value) => typeof value === 'string').map((value) => value.toLowerCase())
}

/** Whether one of the proven names is the wanted one. `*.` at the beginning of a proven name stands for one label. */
export function isNamed(proven: readonly string[], wanted: string): boolean {
  const name = comparable(wanted)
  const dot = name.indexOf('.')
  const isWild = isIP(name) === 0 && dot > 0
  return proven.some((one) => one === name || (isWild && one === `*${name.slice(dot)}`))
}

/** Whether one of the proven names is the configured one, which may be a pattern itself, as a certificate's may. */
export function isLetInAs(proven: readonly string[], configured: string): boolean {
  const pattern = [configured.toLowerCase()]
  return isNamed(proven, configured) || proven.some((name) => isNamed(pattern, name))
}

function nameOf(kind: string, value: string): readonly string[] {
  if (value === '') return []
  if (kind === 'DNS') return [value.toLowerCase()]
  if (kind === 'IP Address') return [comparable(value)]
  // A URI with a user part is a person's, and speaks for no host.
  const domain = kind === 'URI' ? /^sips?:([^@:;?/]+)$/i.exec(value)?.[1] : undefined
  return domain === undefined ? [] : [domain.toLowerCase()]
}

/** IPv6 addresses as the URL parser writes them (RFC 5952); all else in small letters. */
function comparable(name: string): string {
  if (isIP(name) !== 6) return name.toLowerCase().replace(/\.$/, '')
  return new URL(`http://[${name.split('%', 1)[0]}]`).hostname.slice(1, -1)
}
