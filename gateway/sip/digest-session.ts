import { createHash, randomBytes } from 'node:crypto'
import { type DigestChallenge, readChallenge } from './digest-challenge.ts'
import type { SipHeaders } from './sip-surface.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** What a request's credentials vouch for. */
export interface VouchedRequest {
  readonly method: string
  readonly uri: string
  readonly body: string
}

/** Who asks: the server that the request is for, or a proxy before it. */
const ASKERS = {
  401: { challenge: 'WWW-Authenticate', answer: 'Authorization' },
  407: { challenge: 'Proxy-Authenticate', answer: 'Proxy-Authorization' },
} as const

interface Met {
  readonly challenge: DigestChallenge
  readonly cnonce: string
  uses: number
}

/**
 * Digest credentials towards one peer (RFC 3261 §22, RFC 7616, RFC 8760): remembers what it was asked, so that later
 * requests of the dialog bring their credentials with them.
 */
export class DigestSession {
  readonly #credentials: Credentials
  readonly #met = new Map<401 | 407, Met>()

  constructor(credentials: Credentials) {
    this.#credentials = credentials
  }

  /**
   * Takes a response's challenge. `sent` are the headers that the refused request had: where they met a challenge of
   * that kind already, only a nonce that has grown stale is worth another attempt.
   */
  takes(
    response: { readonly status: number; get(name: string): string | undefined },
    sent: SipHeaders,
  ): boolean {
    const { status } = response
    if (status !== 401 && status !== 407) return false
    const asker = ASKERS[status]
    const challenge = readChallenge(response.get(asker.challenge) ?? '')
    if (challenge === undefined) return false
    const refused = this.#met.get(status)
    if (sent[asker.answer] !== undefined && refused !== undefined) {
      // A server that has forgotten the nonce asks with another one, and need not say that the old one is stale.
      const isNews = challenge.nonce !== refused.challenge.nonce
      if (!isNews || (refused.uses <= 1 && !challenge.isStale)) return false
    }
    this.#met.set(status, { challenge, cnonce: randomBytes(8).toString('hex'), uses: 0 })
    return true
  }

  /** The headers that answer what was asked so far; none before the first challenge. */
  headersFor(request: VouchedRequest): SipHeaders {
    const headers: Record<string, string> = {}
    for (const [status, met] of this.#met) {
      met.uses++
      headers[ASKERS[status].answer] = this.#answer(met, request)
    }
    return headers
  }

  #answer({ challenge, cnonce, uses }: Met, { method, uri, body }: VouchedRequest): string {
    const { realm, nonce, opaque, algorithm, hash, isSession, qop } = challenge
    const { user, password } = this.#credentials
    const h = (...parts: readonly string[]) =>
      createHash(hash).update(parts.join(':')).digest('hex')
    const nc = uses.toString(16).padStart(8, '0')
    const secret = h(user, realm, password)
    const a1 = isSession ? h(secret, nonce, cnonce) : secret
    const a2 = qop === 'auth-int' ? h(method, uri, h(body)) : h(method, uri)
    const response = qop === undefined ? h(a1, nonce, a2) : h(a1, nonce, nc, cnonce, qop, a2)
    const hasCnonce = qop !== undefined || isSession
    return [
      `Digest username=${quoted(user)}`,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(uri)}`,
      `response="${response}"`,
      ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
      ...(hasCnonce ? [`cnonce="${cnonce}"`] : []),
      ...(qop === undefined ? [] : [`qop=${qop}`, `nc=${nc}`]),
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ].join(', ')
  }
}

function quoted(text: string): string {
  return `"${text.replace(/[\r\n]/g, '').replace(/["\\]/g, '\\$&')}"`
}
