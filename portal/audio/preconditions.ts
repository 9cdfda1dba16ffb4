import type { IncomingHttpHeaders } from 'node:http'

/** What tells one version of a representation from another. */
export interface Validators {
  /** A strong entity tag with its quotes, or undefined where the content is not known well enough. */
  readonly etag: string | undefined
  /** When it last changed; compared in whole seconds, as HTTP dates are. */
  readonly modifiedAtMs: number
}

/**
 * Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110
 * §13.2.2, for GET and HEAD. Dates that are none are ignored (§13.1.3).
 */
export function evaluatePreconditions(
  headers: IncomingHttpHeaders,
  validators: Validators,
): 'proceed' | 'not_modified' | 'failed' {
  const ifMatch = headers['if-match']
  const unmodifiedSinceMs = parseHttpDate(headers['if-unmodified-since'])
  const modifiedAtMs = wholeSeconds(validators.modifiedAtMs)
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, validators.etag, { allowsWeak: false })) return 'failed'
  } else if (unmodifiedSinceMs !== undefined && modifiedAtMs > unmodifiedSinceMs) {
    return 'failed'
  }

  const ifNoneMatch = headers['if-none-match']
  const modifiedSinceMs = parseHttpDate(headers['if-modified-since'])
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, validators.etag, { allowsWeak: true })) return 'not_modified'
  } else if (modifiedSinceMs !== undefined && modifiedAtMs <= modifiedSinceMs) {
    return 'not_modified'
  }
  return 'proceed'
}

/** Whether If-Range, where it is given, still names this version, so that Range counts (RFC 9110 §13.1.5). */
export function isRangeCurrent(ifRange: string | undefined, validators: Validators): boolean {
  if (ifRange === undefined) return true
  const atMs = parseHttpDate(ifRange)
  if (atMs !== undefined) return atMs === wholeSeconds(validators.modifiedAtMs)
  return validators.etag !== undefined && ifRange.trim() === validators.etag
}

const TIME = '\\d{2}:\\d{2}:\\d{2}'
const HTTP_DATES = [
  `[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} ${TIME} GMT`,
  `[A-Z][a-z]+day, \\d{2}-[A-Z][a-z]{2}-\\d{2} ${TIME} GMT`,
  `[A-Z][a-z]{2} [A-Z][a-z]{2} [ \\d]\\d ${TIME} \\d{4}`,
].map((form) => new RegExp(`^${form}$`))

/** Milliseconds since the epoch, or undefined where the text is none of the three forms of RFC 9110 §5.6.7. */
function parseHttpDate(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? ''
  if (!HTTP_DATES.some((form) => form.test(trimmed))) return undefined
  // The oldest form, asctime, names no zone and means UTC.
  const atMs = Date.parse(trimmed.endsWith('GMT') ? trimmed : `${trimmed} GMT`)
  return Number.isNaN(atMs) ? undefined : atMs
}

// entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE (RFC 9110 §8.8.3). A comma may stand within the quotes.
const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

function matches(
  header: string,
  etag: string | undefined,
  { allowsWeak }: { readonly allowsWeak: boolean },
): boolean {
  if (header.trim() === '*') return true
  if (etag === undefined) return false
  for (const [, weak, tag] of header.matchAll(ENTITY_TAG)) {
    if (tag === etag && (allowsWeak || weak === undefined)) return true
  }
  return false
}

function wholeSeconds(epochMs: number): number {
  return Math.floor(epochMs / 1000) * 1000
}
