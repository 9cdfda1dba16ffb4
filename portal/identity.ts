import { isSameToken, shownToken } from '../base/admin-token.ts'

/** What an identity may do; each route names the roles that it serves, and one that names none serves nobody. */
export type Role = 'agent' | 'supervisor' | 'quality' | 'trainer' | 'officer' | 'admin' | 'service'

/** Who asks, decided once for a request. */
export interface Identity {
  /** For logs and the audit trail: never a token. */
  readonly name: string
  readonly role: Role
}

/** Tells who shows these credentials, or undefined where nobody known does. */
export type Identify = (authorization: string | undefined) => Identity | undefined

/** Knows the administrator by the bearer token (RFC 6750 §2.1) and nobody else. */
export function identifyByAdminToken(token: string): Identify {
  const admin: Identity = { name: 'admin-token', role: 'admin' }
  return (authorization) => {
    const shown = shownToken(authorization)
    return shown !== undefined && isSameToken(shown, token) ? admin : undefined
  }
}
