/** Hash functions that a challenge may ask for (RFC 8760 §2.2), by the name that Node knows. */
const HASHES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const

/** A challenge of a 401 or 407 that can be met (RFC 3261 §22.4). */
export interface DigestChallenge {
  readonly realm: string
  readonly nonce: string
  /** To be sent back as it came. */
  readonly opaque: string | undefined
  /** As the challenge writes it; undefined where it names none, which is MD5. */
  readonly algorithm: string | undefined
  readonly hash: (typeof HASHES)[keyof typeof HASHES]
  /** `-sess`: the user's hash is bound to the nonce. */
  readonly isSession: boolean
  /** `auth-int` protects the body too; undefined where the peer is of the time before either. */
  readonly qop: 'auth' | 'auth-int' | undefined
  /** The credentials were right, but for a nonce that is no longer valid. */
  readonly isStale: boolean
}

const LONGEST_HEADER = 4096
const TOKEN =
  /([A-Za-z][\w-]{0,31})\s*=\s*(?:"((?:[^"\\]|\\.){0,1024})"|([^\s,"]{1,1024}))|([A-Za-z][\w-]{0,31})\s+/g

/**
 * The first challenge of a WWW-Authenticate or Proxy-Authenticate header that can be met, the header being all of its
 * lines joined by commas: peers put the one that they prefer first (RFC 8760 §2.4). Undefined where there is none.
 */
export function readChallenge(header: string): DigestChallenge | undefined {
  for (const parameters of challengesOf(header.slice(0, LONGEST_HEADER))) {
    const challenge = challengeOf(parameters)
    if (challenge !== undefined) return challenge
  }
  return undefined
}

type Parameters = ReadonlyMap<string, string>

function challengesOf(header: string): readonly Parameters[] {
  const found: Map<string, string>[] = []
  let current: Map<string, string> | undefined
  for (const [, name, quoted, token, scheme] of header.matchAll(TOKEN)) {
    if (scheme !== undefined) {
      current = scheme.toLowerCase() === 'digest' ? new Map() : undefined
      if (current !== undefined) found.push(current)
    } else if (name !== undefined) {
      current?.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '')
    }
  }
  return found
}

function challengeOf(parameters: Parameters): DigestChallenge | undefined {
  const realm = parameters.get('realm')
  const nonce = parameters.get('nonce')
  const algorithm = parameters.get('algorithm')
  const [, name = 'MD5', session] = /^(.*?)(-sess)?$/i.exec(algorithm ?? 'MD5') ?? []
  const hash = Object.entries(HASHES).find(([known]) => known === name.toUpperCase())?.[1]
  const offered = parameters
    .get('qop')
    ?.toLowerCase()
    .split(/\s*,\s*/)
  const qop = (['auth', 'auth-int'] as const).find((known) => offered?.includes(known))
  const isMeetable = hash !== undefined && (offered === undefined || qop !== undefined)
  if (realm === undefined || nonce === undefined || !isMeetable) return undefined
  return {
    realm,
    nonce,
    opaque: parameters.get('opaque'),
    algorithm,
    hash,
    isSession: session !== undefined,
    qop,
    isStale: parameters.get('stale')?.toLowerCase() === 'true',
  }
}
