/** Hash functions that are known (RFC 8760 §2.2), by the name that Node knows. */
export const DIGEST_HASHES = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
} as const

export type DigestHash = (typeof DIGEST_HASHES)[keyof typeof DIGEST_HASHES]

/** Names in small letters. */
export type DigestParameters = ReadonlyMap<string, string>

const LONGEST_HEADER = 4096
const TOKEN =
  /([A-Za-z][\w-]{0,31})\s*=\s*(?:"((?:[^"\\]|\\.){0,1024})"|([^\s,"]{1,1024}))|([A-Za-z][\w-]{0,31})\s+/g

/**
 * The parameters after each `Digest` of a header (RFC 7616 §3.3, §3.4), which may be several lines joined by commas.
 * Other schemes are left out; of a name that comes twice the last one counts.
 */
export function digestParameters(header: string): readonly DigestParameters[] {
  const found: Map<string, string>[] = []
  let current: Map<string, string> | undefined
  for (const match of header.slice(0, LONGEST_HEADER).matchAll(TOKEN)) {
    const [, name, quoted, token, scheme] = match
    if (scheme !== undefined) {
      current = scheme.toLowerCase() === 'digest' ? new Map() : undefined
      if (current !== undefined) found.push(current)
    } else if (name !== undefined) {
      current?.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '')
    }
  }
  return found
}
