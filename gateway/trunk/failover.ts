/** A target that our credentials do not satisfy is as good as one that cannot be reached: nobody else can help. */
const UNMET_CHALLENGES = [401, 407]
/** What the target itself says of where else the call may go has led nowhere. */
const REDIRECTS = [300, 301, 302, 305, 380]
/** It sends the call round in circles. */
const LOOPS = [482, 483]

/**
 * Whether a refusal says something of the target rather than of the call, so that the next target is worth
 * trying: no answer, a server's own trouble, or a target that cannot be reached (RFC 3261 §21.5, RFC 3263 §4.3).
 * A busy, declining or unknown subscriber (486, 603, 404) stays the answer of the call.
 */
export function isTargetFault(status: number): boolean {
  const isFault = [408, ...REDIRECTS, ...UNMET_CHALLENGES, ...LOOPS].includes(status)
  return isFault || (status >= 500 && status < 600)
}

/**
 * What the caller is told when no target took the call: the last refusal, with a target's own timeouts and
 * overload told as 503, so that the peer's own failover begins.
 */
export function refusalFor(lastStatus: number | undefined): number {
  if (lastStatus === undefined || lastStatus === 408) return 503
  if ([...REDIRECTS, ...UNMET_CHALLENGES].includes(lastStatus)) return 503
  return lastStatus
}
