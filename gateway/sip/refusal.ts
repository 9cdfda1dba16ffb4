import type { SipHeaders } from './sip-surface.ts'

/** A final response that says no. */
export interface Refusal {
  readonly status: number
  readonly reason: string
  readonly headers: SipHeaders
}

/** Why nobody can be meant by a request's URI (RFC 3261 §8.2.2.1); undefined where somebody can. */
export function objectionToUri(uri: string): Refusal | undefined {
  if (/^(sips?|tel):/i.test(uri)) return undefined
  return { status: 416, reason: 'Unsupported URI Scheme', headers: {} }
}

/** Answer to a request that insists on extensions that we do not have (RFC 3261 §8.2.2.3). */
export function badExtension(unsupported: readonly string[]): Refusal {
  return { status: 420, reason: 'Bad Extension', headers: { Unsupported: unsupported.join(', ') } }
}
