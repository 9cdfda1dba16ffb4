/** Compact forms of header names (RFC 3261 §7.3.3 and the registry's later ones). */
const FULL_NAMES: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
}

/** Names whose spelling is not one capital after each hyphen. */
const SPELLINGS: Readonly<Record<string, string>> = {
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  'www-authenticate': 'WWW-Authenticate',
  'mime-version': 'MIME-Version',
  rack: 'RAck',
  rseq: 'RSeq',
  'sip-etag': 'SIP-ETag',
  'sip-if-match': 'SIP-If-Match',
  'min-se': 'Min-SE',
}

/** The order in which a drachtio server writes the headers that it knows; all others follow Content-Length. */
const ORDER = [
  'via',
  'route',
  'record-route',
  'max-forwards',
  'proxy-require',
  'from',
  'to',
  'call-id',
  'cseq',
  'identity',
  'contact',
  'rseq',
  'rack',
  'request-disposition',
  'accept-contact',
  'reject-contact',
  'expires',
  'date',
  'retry-after',
  'timestamp',
  'min-expires',
  'subject',
  'priority',
  'call-info',
  'organization',
  'server',
  'user-agent',
  'in-reply-to',
  'accept',
  'accept-encoding',
  'accept-language',
  'allow',
  'require',
  'supported',
  'unsupported',
  'event',
  'allow-events',
  'subscription-state',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'authorization',
  'www-authenticate',
  'authentication-info',
  'error-info',
  'warning',
  'refer-to',
  'referred-by',
  'replaces',
  'session-expires',
  'min-se',
  'path',
  'service-route',
  'reason',
  'security-client',
  'security-server',
  'security-verify',
  'privacy',
  'sip-etag',
  'sip-if-match',
  'mime-version',
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'content-length',
] as const

const RANKS: ReadonlyMap<string, number> = new Map(ORDER.map((key, rank) => [key, rank]))
const UNRANKED = ORDER.length

/** The full name in lower case, by which headers are compared. */
export function headerKey(name: string): string {
  const lower = name.toLowerCase()
  return lower.length === 1 ? (FULL_NAMES[lower] ?? lower) : lower
}

/** A client's header name as it goes out: known names in their usual spelling, `X-` names as they came. */
export function headerSpelling(name: string): string {
  const key = headerKey(name)
  const spelling = SPELLINGS[key]
  if (spelling !== undefined) return spelling
  if (!RANKS.has(key) && (name.startsWith('X-') || name.startsWith('x-'))) return name
  const base = RANKS.has(key) ? key : name
  return base.replace(/(^|-)([a-z])/g, (_match, hyphen: string, letter: string) => {
    return hyphen + letter.toUpperCase()
  })
}

/** Where a header stands in a message that this server writes; equal ranks keep their order. */
export function headerRank(key: string): number {
  return RANKS.get(key) ?? UNRANKED
}
