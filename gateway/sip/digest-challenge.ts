import {
  DIGEST_HASHES,
  type DigestHash,
  type DigestParameters,
  digestParameters,
} from './digest-parameters.ts'

/** A challenge of a 401 or 407 that can be met (RFC 3261 §22.4). */
export interface DigestChallenge {
  readonly realm: string
  readonly nonce: string
  /** To be sent back as it came. */
  readonly opaque: string | undefined
  /** As the challenge writes it; undefined where it names none, which is MD5. */
  readonly algorithm: string | undefined
  readonly hash: DigestHash
  /** `-sess`: the user's hash is bound to the nonce. */
  readonly isSession: boolean
  /** `auth-int` protects the body too; undefined where the peer is of the time before either. */
  readonly qop: 'auth' | 'auth-int' | undefined
  /** The credentials were right, but for a nonce that is no longer valid. */
  readonly isStale: boolean
}

/**
 * The first challenge of a WWW-Authenticate or Proxy-Authenticate header that can be met, the header being all of its
 * lines joined by commas: peers put the one that they prefer first (RFC 8760 §2.4). Undefined where there is none.
 */
export function readChallenge(header: string): DigestChallenge | undefined {
  for (const parameters of digestParameters(header)) {
    const challenge = challengeOf(parameters)
    if (challenge !== undefined) return challenge
  }
  return undefined
}

function challengeOf(parameters: DigestParameters): DigestChallenge | undefined {
  const realm = parameters.get('realm')
  const nonce = parameters.get('nonce')
  const algorithm = parameters.get('algorithm')
  const [, name = 'MD5', session] = /^(.*?)(-sess)?$/i.exec(algorithm ?? 'MD5') ?? []
  const hash = Object.entries(DIGEST_HASHES).find(([known]) => known === name.toUpperCase())?.[1]
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
