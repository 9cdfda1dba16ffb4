import { createHash, timingSafeEqual } from 'node:crypto'
import type { DigestConfig } from '../../config/sip-door-config.ts'
import {
  DIGEST_HASHES,
  type DigestHash,
  type DigestParameters,
  digestParameters,
} from '../sip/digest-parameters.ts'
import type { Credentials } from '../sip/digest-session.ts'
import { field, type HeaderField } from '../sip-server/message-writer.ts'
import { headerValues, type SipRequest } from '../sip-server/sip-message.ts'
import type { Nonces } from './nonces.ts'

export type DigestVerdict =
  | { readonly kind: 'right'; readonly user: string }
  /** Nothing that answers a challenge of ours: the first request of everybody is such. */
  | { readonly kind: 'absent' }
  /** Right, but for a nonce that is used up. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'wrong' }

/** Several realms may be answered at once. */
const MOST_HEADERS = 8

/** Compared with where nobody has that name, so that the answer takes as long as for one that there is. */
const NOBODY: Credentials = { user: '', password: 'no password is this one' }

/** Challenges requests, and judges the credentials that they bring (RFC 3261 §22, RFC 7616, RFC 8760). */
export class DigestJudge {
  readonly #realm: string
  readonly #algorithms: DigestConfig['algorithms']
  readonly #nonces: Nonces

  constructor({ realm, algorithms }: DigestConfig, nonces: Nonces) {
    this.#realm = realm
    this.#algorithms = algorithms
    this.#nonces = nonces
  }

  /** The headers of a 401, one for each hash function, the preferred one first (RFC 8760 §2.3). */
  challenge(source: string, { isStale }: { readonly isStale: boolean }): readonly HeaderField[] {
    const nonce = this.#nonces.issue(source)
    const stale = isStale ? ', stale=true' : ''
    return this.#algorithms.map((algorithm) =>
      field(
        'WWW-Authenticate',
        `Digest realm="${this.#realm}", qop="auth", nonce="${nonce}", algorithm=${algorithm}${stale}`,
      ),
    )
  }

  /** Judges by the credentials of those who may have sent it, of whom no two have the same name. */
  judge(request: SipRequest, source: string, candidates: readonly Credentials[]): DigestVerdict {
    const ours = headerValues(request, 'authorization')
      .slice(0, MOST_HEADERS)
      .flatMap(digestParameters)
      .find((parameters) => parameters.get('realm') === this.#realm)
    if (ours === undefined) return { kind: 'absent' }
    const shown = this.#read(ours, request)
    if (shown === undefined) return { kind: 'wrong' }
    const { nonce, count, user } = shown
    const state = this.#nonces.stateOf(nonce, count, source)
    // One of another node or of before a restart: the password may be right all the same.
    if (state === 'foreign') return { kind: 'stale' }
    const credentials = candidates.find((candidate) => bytesOf(candidate.user) === user)
    const isRight = answers(credentials ?? NOBODY, shown, this.#realm)
    if (credentials === undefined || !isRight) return { kind: 'wrong' }
    if (state === 'stale') return { kind: 'stale' }
    this.#nonces.use(nonce, count, source)
    return { kind: 'right', user }
  }

  #read(parameters: DigestParameters, request: SipRequest): Shown | undefined {
    const algorithm = parameters.get('algorithm')?.toUpperCase() ?? 'MD5'
    const known = this.#algorithms.find((one) => one === algorithm)
    const countText = parameters.get('nc') ?? ''
    const uri = parameters.get('uri') ?? ''
    const cnonce = parameters.get('cnonce') ?? ''
    if (known === undefined || parameters.get('qop')?.toLowerCase() !== 'auth') return undefined
    if (!/^[0-9a-f]{1,8}$/i.test(countText) || cnonce === '') return undefined
    if (withoutParameters(uri) !== withoutParameters(request.uri)) return undefined
    return {
      user: parameters.get('username') ?? '',
      nonce: parameters.get('nonce') ?? '',
      count: Number.parseInt(countText, 16),
      countText,
      cnonce,
      uri,
      method: request.method,
      hash: DIGEST_HASHES[known],
      response: parameters.get('response') ?? '',
    }
  }
}

/** Characters are bytes, as everywhere in SIP messages. */
interface Shown {
  readonly user: string
  readonly nonce: string
  readonly count: number
  readonly countText: string
  readonly cnonce: string
  readonly uri: string
  readonly method: string
  readonly hash: DigestHash
  readonly response: string
}

function answers({ user, password }: Credentials, shown: Shown, realm: string): boolean {
  const { nonce, countText, cnonce, uri, method, hash, response } = shown
  const h = (...parts: readonly string[]) => {
    return createHash(hash).update(parts.join(':'), 'latin1').digest('hex')
  }
  const a1 = h(bytesOf(user), realm, bytesOf(password))
  const wanted = h(a1, nonce, countText, cnonce, 'auth', h(method, uri))
  const given = response.toLowerCase()
  return given.length === wanted.length && timingSafeEqual(Buffer.from(given), Buffer.from(wanted))
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Devices leave parameters of the Request-URI out of what they vouch for. */
function withoutParameters(uri: string): string {
  return (uri.split(/[;?]/, 1)[0] ?? '').toLowerCase()
}
